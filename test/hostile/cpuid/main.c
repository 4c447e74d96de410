// Says every leaf of CPUID that is not all zero: leaf, eax, ebx, ecx, edx, in
// decimal, a line each.
#include "guest.h"
MANIFEST(0);

int run(const struct boot_info *bi, const char *arg)
{
    (void)bi, (void)arg;
#if defined(__x86_64__)
    static const uint32_t from[] = {0, 0x40000000, 0x40000100, 0x80000000, 0xc0000000};
    for (unsigned range = 0; range < 5; range++)
        for (uint32_t leaf = from[range]; leaf < from[range] + 0x30; leaf++) {
            uint32_t r[4];
            __asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "0"(leaf), "2"(0));
            if (!(r[0] | r[1] | r[2] | r[3]))
                continue;
            say_number(leaf);
            for (int i = 0; i < 4; i++)
                say(" "), say_number(r[i]);
            say("\n");
        }
#endif
    return 99;
}
