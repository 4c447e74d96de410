// Touches a physical address of its choice, on amd64 through page tables of its
// own, on arm64 without any, but for the text:
//
//	r|w address
//
// The address is hexadecimal; T is the end of memory, X the program's text.
#include "args.h"
MANIFEST(0);

#if defined(__x86_64__)
static uint64_t pml4[512] __attribute__((aligned(4096))), pdpt[512] __attribute__((aligned(4096)));
static uint64_t low[512] __attribute__((aligned(4096))), window[512] __attribute__((aligned(4096)));
#define TABLE 3  // present, writable
#define PAGE 131 // and 2 MiB
#endif

int run(const struct boot_info *bi, const char *arg)
{
    const char *at = arg + 2;
    uint64_t a = argument(&at, bi->mem_size);
#if defined(__x86_64__)
    for (uint64_t i = 0; i < 512; i++)
        low[i] = i << 21 | PAGE;
    window[0] = (a & ~0x1ffffful) | PAGE;
    pdpt[0] = (uintptr_t)low | TABLE;
    pdpt[256] = (uintptr_t)window | TABLE;
    pml4[0] = (uintptr_t)pdpt | TABLE;
    __asm__ volatile("mov %0, %%cr3" ::"r"(pml4) : "memory");
    volatile uint32_t *p = (volatile uint32_t *)(256ul << 30 | (a & 0x1ffffc));
#else
    volatile uint32_t *p = (volatile uint32_t *)a;
    uint64_t control;
    if (arg[2] != 'X')
        __asm__ volatile("mrs %0, sctlr_el1\n\tbic %0, %0, #1\n\tmsr sctlr_el1, %0\n\tisb" : "=r"(control)::"memory");
#endif
    if (arg[0] == 'w')
        *p = 0x5a5a5a5a;
    else
        *p;
    return 99;
}

static uint64_t meaning(char letter, uint64_t top) { return letter == 'T' ? top : (uintptr_t)run; }
