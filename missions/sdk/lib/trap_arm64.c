/*
 * trap_arm64.c: an exception ends the guest with a line on the console. The
 * handlers never return, hence save nothing.
 */
#include "hvt.h"

/* Sixteen entries of 128 octets: four kinds from four states. */
__asm__(".text\n"
        ".balign 2048\n"
        "trap_vectors:\n"
        ".rept 16\n"
        ".balign 128\n"
        "mrs x0, esr_el1\n"
        "mrs x1, elr_el1\n"
        "mrs x2, far_el1\n"
        "mov x3, sp\n"
        "and x3, x3, #-16\n"
        "mov sp, x3\n"
        "b trap\n"
        ".endr\n"
        ".balign 128\n");

extern const char trap_vectors[];

/* Exception classes of ESR_EL1, bits 31 to 26. */
static const char *name(uint64_t class)
{
    switch (class) {
    case 0x00: case 0x0e:
        return "bad instruction";
    case 0x07:
        return "no floating point";
    case 0x20: case 0x21:
        return "bad instruction address";
    case 0x22: case 0x26:
        return "alignment";
    case 0x24: case 0x25:
        return "bad address";
    case 0x3c:
        return "breakpoint";
    }
    return "exception";
}

__attribute__((noreturn, used)) static void trap(uint64_t syndrome, uint64_t pc,
                                                 uint64_t address)
{
    hvt_trap(name(syndrome >> 26 & 0x3f), syndrome, pc, address);
}

void hvt_trap_init(void)
{
    hvt_trap_load();
}

void hvt_trap_load(void)
{
    __asm__ volatile("msr vbar_el1, %0\n\tisb" : : "r"(trap_vectors));
}
