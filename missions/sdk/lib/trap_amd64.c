/*
 * trap_amd64.c: an exception ends the guest with a line on the console.
 *
 * The tender's descriptor table lies in memory that the guest cannot read, so
 * that an exception would end in a shutdown without a word; the guest brings
 * its own. The handlers never return, hence save nothing.
 */
#include "hvt.h"

#define VECTORS 32
#define STUB    16 /* octets from one stub to the next */

struct gate {
    uint16_t offset0, selector;
    uint8_t stack, type;
    uint16_t offset1;
    uint32_t offset2, reserved;
};
_Static_assert(sizeof(struct gate) == 16, "interrupt gate");

struct __attribute__((packed)) table {
    uint16_t limit;
    const void *base;
};

/* Null, 64-bit code, data; the code segment is what the gates name. */
static const uint64_t gdt[] = {0, 0x00af9b000000ffff, 0x00cf93000000ffff};
#define CODE 8

static struct gate idt[VECTORS];

/*
 * Vectors 8, 10 to 14, 17, 21, 29 and 30 come with an error code; the other
 * stubs push a zero in its place. Then the vector, and on to trap().
 */
__asm__(".text\n"
        ".balign 16\n"
        "trap_stubs:\n"
        ".set vector, 0\n"
        ".rept 32\n"
        ".balign 16\n"
        ".if (0x60227d00 >> vector) & 1\n"
        ".else\n"
        "pushq $0\n"
        ".endif\n"
        "pushq $vector\n"
        "jmp trap_common\n"
        ".set vector, vector + 1\n"
        ".endr\n"
        "trap_common:\n"
        "popq %rdi\n"
        "popq %rsi\n"
        "movq (%rsp), %rdx\n"
        "movq %cr2, %rcx\n"
        "andq $-16, %rsp\n"
        "cld\n"
        "call trap\n");

extern const char trap_stubs[];

static const char *const names[VECTORS] = {
    [0] = "division by zero", [1] = "debug", [3] = "breakpoint",
    [6] = "bad instruction", [7] = "no floating point", [8] = "double fault",
    [12] = "stack fault", [13] = "protection", [14] = "bad address",
    [16] = "floating point", [17] = "alignment", [19] = "vector unit",
};

__attribute__((noreturn, used)) static void trap(uint64_t vector, uint64_t code,
                                                 uint64_t pc, uint64_t address)
{
    const char *name = vector < VECTORS ? names[vector] : NULL;

    hvt_trap(name ? name : "exception", vector << 32 | code, pc,
             vector == 14 ? address : 0);
}

void hvt_trap_init(void)
{
    for (int i = 0; i < VECTORS; i++) {
        uintptr_t stub = (uintptr_t)trap_stubs + (uintptr_t)i * STUB;

        idt[i] = (struct gate){.offset0 = (uint16_t)stub,
                               .selector = CODE,
                               .type = 0x8e, /* present, interrupt gate */
                               .offset1 = (uint16_t)(stub >> 16),
                               .offset2 = (uint32_t)(stub >> 32)};
    }
    hvt_trap_load();
}

void hvt_trap_load(void)
{
    struct table gdtr = {sizeof gdt - 1, gdt}, idtr = {sizeof idt - 1, idt};

    __asm__ volatile("lgdt %0\n\tlidt %1" : : "m"(gdtr), "m"(idtr));
}
