/* start.c: the first instructions, and the ways out. */
#include <stdio.h>
#include <stdlib.h>

#include "hvt.h"

#define PAGE 0x1000UL

const struct hvt_boot *hvt_boot;

/* In .data, so that every program has a data segment. */
static struct solo5_start_info start_info = {.cmdline = ""};

/*
 * The tender jumps here in long mode (EL1h on arm64) with the stack at the
 * top of memory, interrupts off and its boot info as the only argument.
 */
__attribute__((noreturn, section(".text.start"))) void
_start(const struct hvt_boot *boot)
{
    hvt_boot = boot;
    hvt_trap_init();
    hvt_vcpu_init();
    start_info.cmdline = boot->cmdline;
    start_info.heap_start = (boot->kernel_end + PAGE - 1) & ~(PAGE - 1);
    start_info.heap_size = boot->mem_size - start_info.heap_start;
    hvt_heap_init(start_info.heap_start, start_info.heap_size);
    solo5_exit(solo5_app_main(&start_info));
}

void solo5_exit(int status)
{
    volatile struct hvt_halt record = {.cookie = NULL, .status = status};

    for (;;)
        hvt_call(HVT_HALT, &record);
}

void solo5_abort(void)
{
    solo5_exit(SOLO5_EXIT_ABORT);
}

void exit(int status)
{
    solo5_exit(status);
}

void abort(void)
{
    solo5_abort();
}

void hvt_trap(const char *what, uint64_t code, uint64_t pc, uint64_t address)
{
    static bool trapped;

    if (!trapped) {
        trapped = true;
        printf("guest trap: %s code=0x%lx pc=0x%lx address=0x%lx\n", what,
               (unsigned long)code, (unsigned long)pc, (unsigned long)address);
    }
    solo5_abort();
}
