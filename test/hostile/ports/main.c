// On amd64 every I/O port, in three sizes, out and in; on arm64 every aligned address of
// the first 2 KiB, where the calls are, in four sizes, written and read, and beyond it one in so many, as the
// argument says, of the gigabyte. The argument is the step on amd64 too.
#include "guest.h"
MANIFEST(0);

// No form that changes the address too: the processor does not tell the host what those do.
#define TOUCH(size, width)                                                              \
    do {                                                                                \
        uint64_t read;                                                                  \
        __asm__ volatile("str" size " %" width "1, [%2]\n\tldr" size " %" width "0, [%2]" \
                         : "=&r"(read) : "r"(v), "r"(address) : "memory");              \
    } while (0)

int run(const struct boot_info *bi, const char *arg)
{
    uint32_t step = (uint32_t)decimal(&arg);
    (void)bi;
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
#else
    for (uint64_t at = 0; at < 1ul << 30; at += at < 0x800 ? 1 : at == 0x800 ? step - 0x800 : step) {
        uint64_t v = 0xabc00000 | (at & 0xfffff), address = 0x100000000ul + at;
        TOUCH("b", "w");
        if (at % 2 == 0)
            TOUCH("h", "w");
        if (at % 4 == 0)
            TOUCH("", "w");
        if (at % 8 == 0)
            TOUCH("", "x");
    }
#endif
    return 99;
}
