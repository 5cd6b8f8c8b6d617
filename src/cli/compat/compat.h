/* compat.h - programs that this one is under another name (build/compat/). */
#ifndef HF_CLI_COMPAT_COMPAT_H
#define HF_CLI_COMPAT_COMPAT_H

/* The release whose behaviour is that of these programs, and its level of functions. */
#define HF_COMPAT_VERSION   "1.4.6"
#define HF_COMPAT_DATABASES "/var/lib/clamav"

int hf_clamdscan_main(int argc, char **argv); /* clamdscan.c */
int hf_clamscan_main(int argc, char **argv);  /* clamscan.c */
int hf_sigtool_main(int argc, char **argv);   /* sigtool.c */
int hf_yara_main(int argc, char **argv);      /* yara.c */
int hf_yarac_main(int argc, char **argv);     /* yarac.c */

#endif
