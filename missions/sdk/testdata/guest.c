/* guest.c: what only a virtual machine can show. The command line says what. */
#include <perilune.h>
#include <stdlib.h>
#include <string.h>

static __thread int counter = 5;
static __thread char text[100] = "own";

/* Not inlined, so that each call reads the thread's register anew. */
__attribute__((noinline)) static int count(void)
{
    return counter++;
}

static void new_thread(void)
{
    uintptr_t block = (uintptr_t)malloc(solo5_tls_size() + 63);

    block = (block + 63) & ~63UL;
    if (solo5_tls_init(block) != SOLO5_R_OK || solo5_tls_init(block + 1) == SOLO5_R_OK)
        solo5_abort();
    solo5_set_tls_base(solo5_tls_tp_offset(block));
}

static void tls(void)
{
    new_thread();
    count();
    perilune_log("first %d %s", count(), text);
    new_thread();
    perilune_log("second %d %s", count(), text);
}

static void yield(void)
{
    solo5_time_t start = solo5_clock_monotonic(), slept;
    solo5_handle_set_t ready = 9;

    solo5_yield(start + 50000000, &ready);
    slept = solo5_clock_monotonic() - start;
    perilune_log("slept %s, ready %lu", slept >= 50000000 ? "enough" : "too little", ready);
    solo5_yield(start, NULL); /* in the past: returns at once */
}

static void seed(void)
{
    uint8_t first[PERILUNE_SEED_SIZE], again[PERILUNE_SEED_SIZE] = {0};
    solo5_result_t got = perilune_seed(first);

    printf("seed %d ", got);
    if (got == SOLO5_R_OK && perilune_seed(again) == SOLO5_R_OK &&
        memcmp(first, again, sizeof(first)) == 0)
        for (unsigned i = 0; i < sizeof(first); i++)
            printf("%02x", first[i]);
    printf("\n");
}

static void devices(void)
{
    struct solo5_net_info net;
    struct solo5_block_info block;
    solo5_handle_t handle;
    uint8_t data[512];

    perilune_log("net %d, block %d", solo5_net_acquire("absent", &handle, &net),
                 solo5_block_acquire("absent", &handle, &block));
    perilune_log("write %d, read %d", solo5_net_write(7, data, 1),
                 solo5_block_read(0, 0, data, sizeof data));
}

int solo5_app_main(const struct solo5_start_info *info)
{
    const char *what = info->cmdline;
    volatile uintptr_t zero = 0, result = 7;

    if (strcmp(what, "divide") == 0)
        result /= zero;
    else if (strcmp(what, "null") == 0)
        result = *(volatile int *)zero;
    else if (strcmp(what, "instruction") == 0)
        __builtin_trap();
    else if (strcmp(what, "code") == 0)
        *(volatile int *)(uintptr_t)&solo5_app_main = 0;
    else if (strcmp(what, "heap") == 0)
        perilune_log("%d", info->heap_start % 4096 == 0 && info->heap_start + info->heap_size == 4 << 20);
    else if (strcmp(what, "wall") == 0)
        perilune_log("%lu", solo5_clock_wall());
    else if (strcmp(what, "tls") == 0)
        tls();
    else if (strcmp(what, "yield") == 0)
        yield();
    else if (strcmp(what, "seed") == 0)
        seed();
    else if (strcmp(what, "devices") == 0)
        devices();
    return (int)result;
}
