// Something to debug: counts, and ends as its command line says.
#include "guest.h"
MANIFEST(0);

volatile int counter = 5;

__attribute__((noinline)) int twice(int x)
{
    counter += x;
    return 2 * x;
}

__attribute__((noinline)) static void spin(void)
{
    for (;;)
        counter++;
}

__attribute__((noinline)) static void sleep_for_ever(void)
{
    volatile struct poll p = {~0ull >> 1, 0, -1};
    for (;;)
        call(POLL, &p);
}

int run(const struct boot_info *bi, const char *arg)
{
    (void)bi;
    int sum = 0;
    for (int i = 0; i < 3; i++)
        sum += twice(i);
    say_number(sum), say(" "), say_number(counter), say("\n");
    if (is(arg, "abort"))
        return 255;
    if (is(arg, "fault"))
        *(volatile char *)(uintptr_t)run = 0;
    if (is(arg, "spin"))
        spin();
    if (is(arg, "sleep"))
        sleep_for_ever();
    return sum;
}
