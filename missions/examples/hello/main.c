/* hello: the smallest guest. One line on the console, then the end. */
#include <perilune.h>

int solo5_app_main(const struct solo5_start_info *info)
{
    perilune_log("hello from a guest, arguments \"%s\"", info->cmdline);
    return SOLO5_EXIT_SUCCESS;
}
