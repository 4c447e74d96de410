// The guest of clock.c, with a disk that it never looks at.
#define DISK
#include "clock.c"
