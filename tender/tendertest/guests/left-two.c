// The guest of left.c, with two vCPUs.
#define TWO
#include "left.c"
