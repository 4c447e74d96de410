// Looks at the state of the processor that the contract promises.
#include "../raw.h"

int solo5_app_main(const struct solo5_start_info *si)
{
    uint64_t v, w;
    (void)si;
#if defined(__x86_64__)
    __asm__("mov %%cr0, %0" : "=r"(v));
    CHECK((v & 1) && (v & 1 << 5) && (v & 1 << 16) && (v & 1u << 31)); // PE NE WP PG
    CHECK(!(v & 1 << 2) && !(v & 1 << 3));                             // no EM, no TS: FPU without traps
    __asm__("mov %%cr4, %0" : "=r"(v));
    CHECK((v & 1 << 5) && (v & 1 << 9) && (v & 1 << 10)); // PAE OSFXSR OSXMMEXCPT
    __asm__("mov %%cr3, %0" : "=r"(v));
    CHECK(v == 0x2000);
    uint32_t lo, hi;
    __asm__("rdmsr" : "=a"(lo), "=d"(hi) : "c"(0xc0000080));
    CHECK((lo & 1 << 8) && (lo & 1 << 10)); // LME LMA
    __asm__("pushfq; pop %0" : "=r"(v));
    CHECK(!(v & 1 << 9)); // interrupts off
    uint16_t cs;
    __asm__("mov %%cs, %0" : "=r"(cs));
    CHECK(cs == 8);
    (void)w;
#else
    __asm__("mrs %0, CurrentEL" : "=r"(v));
    CHECK(v == 1 << 2);
    __asm__("mrs %0, DAIF" : "=r"(v));
    CHECK(v == 0x3c0);
    __asm__("mrs %0, SCTLR_EL1" : "=r"(v));
    CHECK((v & 1) && (v & 1 << 2) && (v & 1 << 12)); // MMU, caches
    __asm__("mrs %0, CPACR_EL1" : "=r"(v));
    CHECK((v >> 20 & 3) == 3); // floating point without traps
    __asm__("mrs %0, TTBR0_EL1" : "=r"(v));
    CHECK((v & 0xfffffffff000) == 0x1000);
    __asm__("mrs %0, CNTFRQ_EL0" : "=r"(w));
    CHECK(hvt_boot->cycle_freq == w);
#endif
    return 0;
}
