// Exits with the status that its command line names.
#include "../raw.h"

int solo5_app_main(const struct solo5_start_info *si)
{
    if (is(si->cmdline, "large")) {
        volatile struct halt h = {0, 0x1234};
        CALL(HALT, &h);
    }
    if (is(si->cmdline, "cookie")) { // 512 octets that can be read
        static uint8_t frame[512];
        volatile struct halt h = {(uintptr_t)frame, 3};
        CALL(HALT, &h);
    }
    if (is(si->cmdline, "exit"))
        solo5_exit(9);
    int status = 0;
    for (const char *p = si->cmdline; *p >= '0' && *p <= '9'; p++)
        status = status * 10 + *p - '0';
    return status;
}
