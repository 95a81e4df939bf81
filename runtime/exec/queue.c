/* Queue positions. Invariants: `ahead` never rises except when a level not displayed so far is seen
 * for the first time, and never exceeds what is displayed. */
#include "exec/queue.h"

#include "base/assert.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define POWER_DEFAULT 2.0
#define POWER_MAX 10.0

static int power_parse(const char *text, double *power) {
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value > 0 && value <= POWER_MAX)) {
        return HG_ERR(HG_EUSAGE, "power:%s: want a number above 0, at most %g", text, POWER_MAX);
    }
    *power = value;
    return HG_OK;
}

int hg_queue_parse(const char *text, hg_queue_model *out) {
    hg_assert(text && out);
    static const char *const names[] = {"pessimistic", "proportional", "power", NULL};
    hg_queue_model model = {.kind = HG_QUEUE_POWER, .power = POWER_DEFAULT};
    if (strncmp(text, "power:", 6) == 0) {
        int rc = power_parse(text + 6, &model.power);
        if (rc < 0) {
            return rc;
        }
        *out = model;
        return HG_OK;
    }
    for (int i = 0; names[i]; i++) {
        if (strcmp(text, names[i]) == 0) {
            model.kind = (hg_queue_kind)i;
            *out = model;
            return HG_OK;
        }
    }
    int rc = HG_ERR(HG_EUSAGE, "'%s': want pessimistic, proportional, power or power:N", text);
    const char *near = hg_text_nearest(text, names);
    if (near) {
        hg_error_hint("did you mean %s?", near);
    }
    return rc;
}

void hg_queue_join(hg_queue_place *place, hg_lots shown) {
    *place = (hg_queue_place){.ahead = shown < 0 ? HG_QUEUE_BLIND : (double)shown, .shown = shown};
}

/* Which share of a cancellation was before us. */
static double share_ahead(const hg_queue_model *model, double front, double back) {
    switch (model->kind) {
    case HG_QUEUE_PESSIMISTIC:
        return 0;
    case HG_QUEUE_PROPORTIONAL:
        return front / (front + back);
    case HG_QUEUE_POWER: {
        double n = model->power;
        /* x^n by multiplication where n is whole: the same bits everywhere, and no call. */
        double f = n == 1   ? front
                   : n == 2 ? front * front
                   : n == 3 ? front * front * front
                            : pow(front, n);
        double b = n == 1   ? back
                   : n == 2 ? back * back
                   : n == 3 ? back * back * back
                            : pow(back, n);
        return f / (f + b);
    }
    }
    return 0;
}

static double after_cancel(const hg_queue_model *model, double front, double back, double gone) {
    double from_front = gone * share_ahead(model, front, back);
    double beyond_back = gone - back;
    from_front = from_front > beyond_back ? from_front : beyond_back;
    return from_front < front ? front - from_front : 0;
}

void hg_queue_depth(const hg_queue_model *model, hg_queue_place *place, hg_lots shown) {
    hg_assert(shown >= 0);
    double front = place->ahead;
    double left = (double)(place->shown - place->traded); /* what trades left of the level */
    if (place->shown >= 0 && front > 0 && left > (double)shown) {
        double back = left > front ? left - front : 0;
        place->ahead = after_cancel(model, front, back, left - (double)shown);
    }
    place->ahead = place->ahead < (double)shown ? place->ahead : (double)shown;
    place->shown = shown;
    place->traded = 0;
}

hg_lots hg_queue_trade(hg_queue_place *place, hg_lots lots) {
    hg_assert(lots >= 0);
    place->traded += lots;
    if ((double)lots <= place->ahead) {
        place->ahead -= (double)lots;
        return 0;
    }
    hg_lots past = (hg_lots)floor((double)lots - place->ahead);
    place->ahead = 0;
    return past;
}
