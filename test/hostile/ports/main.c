// Every I/O port, in three sizes, out and in; the argument is the step.
#include "guest.h"
MANIFEST(0);

int run(const struct boot_info *bi, const char *arg)
{
    uint32_t step = 0;
    (void)bi;
    while (*arg)
        step = step * 10 + (uint32_t)(*arg++ - '0');
#if defined(__x86_64__)
    for (uint32_t port = 0; port < 0x10000; port += (port >= 0x4f0 && port < 0x620) ? 1 : step) {
        uint32_t v = 0xabc00000 | port;
        __asm__ volatile("outb %b0, %w1" ::"a"(v), "d"(port));
        __asm__ volatile("outw %w0, %w1" ::"a"(v), "d"(port));
        __asm__ volatile("outl %0, %w1" ::"a"(v), "d"(port));
        __asm__ volatile("inb %w1, %b0" : "+a"(v) : "d"(port));
        __asm__ volatile("inw %w1, %w0" : "+a"(v) : "d"(port));
        __asm__ volatile("inl %w1, %0" : "+a"(v) : "d"(port));
    }
#endif
    return 99;
}
