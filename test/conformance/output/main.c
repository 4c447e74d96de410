// Prints 200 kB, some of it no text.
#include "../raw.h"

static char line[1000];

int solo5_app_main(const struct solo5_start_info *si)
{
    (void)si;
    solo5_console_write("\x00\xff\x1b[0m", 6);
    solo5_console_write("", 0);
    for (int i = 0; i < 200; i++) {
        memset(line, 'a' + i % 26, sizeof line);
        line[sizeof line - 1] = '\n';
        solo5_console_write(line, sizeof line);
    }
    solo5_console_write("end", 3);
    return 0;
}
