/* abort: a guest that fails, to see that its neighbours do not notice. */
#include <perilune.h>

int solo5_app_main(const struct solo5_start_info *info)
{
    struct solo5_net_info net;
    solo5_handle_t link;

    (void)info;
    if (solo5_net_acquire("link", &link, &net) != SOLO5_R_OK)
        return SOLO5_EXIT_FAILURE;
    if (perilune_tm_send(link, "going to abort", 14) != SOLO5_R_OK)
        return SOLO5_EXIT_FAILURE;
    perilune_log("abort: now");
    solo5_abort();
}
