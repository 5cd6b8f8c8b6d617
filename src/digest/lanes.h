/* lanes.h - the kernel under streams.h: MD5 of 16 lanes and SHA-256 of two, block by block in one
 * loop, so that the chains fill each other's gaps. */
#ifndef HF_DIGEST_LANES_H
#define HF_DIGEST_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HF_LANES_MD5 = 16, HF_LANES_SHA256 = 2 };

struct hf_lanes {
    uint32_t md5[4][HF_LANES_MD5]; /* words A to D of all lanes */
    uint32_t sha256[HF_LANES_SHA256][8];
    const uint8_t *md5_data[HF_LANES_MD5];
    const uint8_t *sha256_data[HF_LANES_SHA256];
};

bool hf_lanes_supported(void);

/* Advance by `blocks` blocks of 64 bytes: the first md5 (0 to 16) and sha256 (0 to 2) lanes. The
 * MD5 lanes up to the next 8 have valid data and are worked through too. */
void hf_lanes_run(struct hf_lanes *lanes, unsigned md5, unsigned sha256, size_t blocks);

#endif
