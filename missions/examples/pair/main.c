/*
 * pair: two vCPUs exchange messages through a ring in memory. The argument is
 * how many, by default a million. vCPU 1 makes them, vCPU 0 takes and checks.
 *
 * head and tail have one writer each. Whoever finds nothing to do says that it
 * sleeps, looks once more, and parks; the other looks at that flag after each
 * step. With sequentially consistent words one of the two sees the other's.
 */
#include <perilune.h>
#include <perilune_vcpu.h>
#include <stdlib.h>

#define SLOTS 256u

static uint64_t slots[SLOTS];
static uint32_t head, tail;
static uint32_t asleep[2];
static uint64_t total;

static uint8_t stack[8192] __attribute__((aligned(16)));

static uint64_t message(uint64_t i)
{
    return i * 0x9e3779b97f4a7c15u ^ i >> 7;
}

/* Parks as long as *word has the value seen. */
static void await(const uint32_t *word, uint32_t seen)
{
    uint32_t *flag = &asleep[perilune_vcpu_self()];

    perilune_atomic_store(flag, 1);
    while (perilune_atomic_load(word) == seen)
        perilune_vcpu_park(UINT64_MAX);
    perilune_atomic_store(flag, 0);
}

static void step(uint32_t *word, uint32_t other)
{
    perilune_atomic_add(word, 1);
    if (perilune_atomic_load(&asleep[other]))
        perilune_vcpu_wake(other);
}

static void make(void *argument)
{
    (void)argument;
    for (uint64_t i = 0; i < total; i++) {
        uint32_t seen = perilune_atomic_load(&tail);

        if (head - seen == SLOTS)
            await(&tail, seen);
        slots[head % SLOTS] = message(i);
        step(&head, 0);
    }
}

int solo5_app_main(const struct solo5_start_info *info)
{
    struct perilune_vcpu maker = {
        .entry = make, .stack = stack, .stack_size = sizeof stack};
    uint64_t wrong = 0, sum = 0;

    total = *info->cmdline ? (uint64_t)strtoul(info->cmdline, NULL, 10) : 1000000;
    if (perilune_vcpu_start(1, &maker) != SOLO5_R_OK) {
        perilune_log("no second vCPU");
        return SOLO5_EXIT_FAILURE;
    }
    for (uint64_t i = 0; i < total; i++) {
        uint64_t got;

        if (perilune_atomic_load(&head) == tail)
            await(&head, tail);
        got = slots[tail % SLOTS];
        wrong += got != message(i);
        sum = sum * 31 + got;
        step(&tail, 1);
    }
    perilune_log("%lu messages, %lu wrong, sum %016lx", (unsigned long)total,
                 (unsigned long)wrong, (unsigned long)sum);
    return wrong ? SOLO5_EXIT_FAILURE : SOLO5_EXIT_SUCCESS;
}
