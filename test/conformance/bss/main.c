// Has a segment of 0x12345 zeroes without octets in the file, above the rest.
#include "../raw.h"

int solo5_app_main(const struct solo5_start_info *si)
{
    // The segment begins where the program ends.
    volatile char *zeroes = (char *)si->heap_start;
    if (is(si->cmdline, "counted")) { // ABI 1: kernel_end lies behind it
        zeroes -= 0x13000;
        CHECK(hvt_boot->kernel_end >= 0x113000);
    }
    for (size_t i = 0; i < 0x12345; i++) {
        CHECK(zeroes[i] == 0);
        zeroes[i] = 1;
    }
    printf("%lx\n", (unsigned long)hvt_boot->kernel_end);
    return 0;
}
