// The guest of clock.c, with a network that it never uses.
#define NET
#include "clock.c"
