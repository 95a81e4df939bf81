#ifndef HG_DOMAIN_FEED_H
#define HG_DOMAIN_FEED_H

#include "domain/event.h"
#include "domain/universe.h"

/* Where market events come from. A feed adds its instruments to the universe when it is opened;
 * afterwards it is pulled: one event per call, times never decreasing, no allocation. */
typedef struct hg_feed hg_feed;

typedef struct hg_feed_ops {
    const char *name; /* "sim", "tape" */
    /* 1 an event was written, 0 the feed has ended, < 0 an error (the record says where). */
    int (*next)(hg_feed *feed, hg_event *event);
    void (*close)(hg_feed *feed); /* frees the feed */
} hg_feed_ops;

struct hg_feed {
    const hg_feed_ops *ops;
    int64_t start_ns;     /* time of the first event */
    int64_t end_ns;       /* of the last one, 0 unknown (sim runs on) */
    uint64_t event_count; /* 0 unknown */
    uint32_t depth_count; /* instruments with HG_EV_DEPTH events, so that books can be reserved */
};

static inline int hg_feed_next(hg_feed *feed, hg_event *event) {
    return feed->ops->next(feed, event);
}

static inline void hg_feed_close(hg_feed *feed) {
    if (feed) {
        feed->ops->close(feed);
    }
}

#endif
