// Says hello and repeats its command line in quotes.
#include "../raw.h"

int solo5_app_main(const struct solo5_start_info *si)
{
    printf("hello \"%s\"\n", si->cmdline);
    return 0;
}
