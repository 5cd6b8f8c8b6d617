"""An icon of 16 x 16 pixels with one colour, to standard output."""
import struct
import sys

pixels = bytes([40, 80, 200, 255]) * 256
mask = bytes(64)
header = struct.pack("<IiiHHIIiiII", 40, 16, 32, 1, 32, 0, len(pixels), 0, 0, 0, 0)
picture = header + pixels + mask
entry = struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(picture), 22)
sys.stdout.buffer.write(struct.pack("<HHH", 0, 1, 1) + entry + picture)
