/* Places in a queue: the arithmetic of each model, by hand and as properties of random histories.
 */
#include "base/rng.h"
#include "exec/queue.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

static hg_queue_model model_of(const char *text) {
    hg_queue_model model;
    CHECK_EQ(hg_queue_parse(text, &model), HG_OK);
    return model;
}

TEST(models_are_read_from_text) {
    CHECK_EQ(model_of("pessimistic").kind, HG_QUEUE_PESSIMISTIC);
    CHECK_EQ(model_of("proportional").kind, HG_QUEUE_PROPORTIONAL);
    CHECK_NEAR(model_of("power").power, 2, 0);
    CHECK_NEAR(model_of("power:0.5").power, 0.5, 0);
    CHECK_NEAR(model_of("power:10").power, 10, 0);
    static const char *const bad[] = {"",         "powr",       "power:",    "power:0",
                                      "power:-1", "power:10.1", "power:nan", "power:2x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        hg_queue_model model = {.power = 7};
        CHECK_EQ(hg_queue_parse(bad[i], &model), HG_EUSAGE);
        CHECK_NEAR(model.power, 7, 0); /* untouched */
    }
    CHECK_STR(hg_error_text()[0] ? "said" : "", "said");
}

/* 60 before us, 40 behind, 10 cancelled. */
static double after_ten_cancelled(const char *text) {
    hg_queue_model model = model_of(text);
    hg_queue_place place;
    hg_queue_join(&place, 60);
    hg_queue_depth(&model, &place, 100);
    CHECK_NEAR(place.ahead, 60, 0); /* newcomers stand behind us */
    hg_queue_depth(&model, &place, 90);
    return place.ahead;
}

TEST(a_cancellation_is_shared_by_the_model) {
    CHECK_NEAR(after_ten_cancelled("pessimistic"), 60, 0);
    CHECK_NEAR(after_ten_cancelled("proportional"), 54, 1e-12);
    CHECK_NEAR(after_ten_cancelled("power:1"), 54, 1e-12);
    CHECK_NEAR(after_ten_cancelled("power:2"), 60 - 10 * 3600.0 / (3600 + 1600), 1e-12);
    CHECK_NEAR(after_ten_cancelled("power:3"), 60 - 10 * 216.0 / (216 + 64), 1e-12);
}

TEST(what_does_not_fit_behind_us_was_before_us) {
    static const char *const models[] = {"pessimistic", "proportional", "power:3"};
    for (int i = 0; i < 3; i++) {
        hg_queue_model model = model_of(models[i]);
        hg_queue_place place;
        hg_queue_join(&place, 60);
        hg_queue_depth(&model, &place, 70);
        hg_queue_depth(&model, &place, 15);
        CHECK(place.ahead <= 15);
        hg_queue_depth(&model, &place, 0);
        CHECK_NEAR(place.ahead, 0, 0);
    }
}

TEST(trades_come_off_the_front_and_explain_the_book) {
    hg_queue_model model = model_of("proportional");
    hg_queue_place place;
    hg_queue_join(&place, 60);
    hg_queue_depth(&model, &place, 100);
    CHECK_EQ(hg_queue_trade(&place, 25), 0);
    CHECK_NEAR(place.ahead, 35, 0);
    hg_queue_depth(&model, &place, 75); /* the trade, told as depth: nobody cancelled */
    CHECK_NEAR(place.ahead, 35, 0);
    CHECK_EQ(hg_queue_trade(&place, 35), 0);
    CHECK_EQ(hg_queue_trade(&place, 1), 1);
    CHECK_NEAR(place.ahead, 0, 0);
}

TEST(what_is_not_displayed_may_be_any_size) {
    hg_queue_model model = model_of("power");
    hg_queue_place place;
    hg_queue_join(&place, -1);
    CHECK_EQ(hg_queue_trade(&place, 1000000), 0);
    hg_queue_depth(&model, &place, 30); /* now it is: all of them may have been first */
    CHECK_NEAR(place.ahead, 30, 0);
    CHECK_EQ(hg_queue_trade(&place, 31), 1);
}

/* A queue of single lots, known one by one, and what a feed would tell of it. Whatever is
 * cancelled, the pessimistic place is never better than the true one; the others lie between it and
 * the front. */
TEST(pessimistic_is_never_better_than_the_truth) {
    uint64_t seed = 20240808;
    hg_rng rng;
    hg_rng_init(&rng, seed, 1);
    hg_queue_model models[3] = {model_of("pessimistic"), model_of("proportional"),
                                model_of("power:3")};
    double error[3] = {0};
    long steps = 0;
    for (int run = 0; run < 4000; run++) {
        hg_queue_place place[3];
        int64_t front = (int64_t)hg_rng_below(&rng, 200);
        int64_t back = 0;
        for (int m = 0; m < 3; m++) {
            hg_queue_join(&place[m], front);
        }
        for (int step = 0; step < 100 && front > 0; step++, steps++) {
            uint64_t what = hg_rng_below(&rng, 4);
            int64_t lots = 1 + (int64_t)hg_rng_below(&rng, 8);
            if (what == 0) {
                back += lots;
            } else if (what == 1 && lots <= front) {
                front -= lots;
                for (int m = 0; m < 3; m++) {
                    CHECK(hg_queue_trade(&place[m], lots) == 0 || m > 0);
                }
            } else if (front + back > 0 &&
                       hg_rng_below(&rng, (uint64_t)(front + back)) < (uint64_t)front) {
                front -= 1; /* who leaves is drawn evenly: the assumption of proportional */
            } else if (back > 0) {
                back -= 1;
            }
            for (int m = 0; m < 3; m++) {
                hg_queue_depth(&models[m], &place[m], front + back);
                CHECK(place[m].ahead >= 0 && place[m].ahead <= (double)(front + back));
                error[m] += place[m].ahead - (double)front;
            }
            if (place[0].ahead < (double)front || place[1].ahead > place[0].ahead + 1e-9) {
                hg_test_fail(__FILE__, __LINE__, "seed %llu run %d: %g, %g, truth %lld",
                             (unsigned long long)seed, run, place[0].ahead, place[1].ahead,
                             (long long)front);
            }
        }
    }
    /* Where cancellations are even, the even model is right on average and the pessimistic one is
     * not. */
    CHECK(error[1] / (double)steps < 0.05 * error[0] / (double)steps + 0.05);
    CHECK(error[1] / (double)steps > -0.3);
    printf("note: mean error of the place: pessimistic %+.2f, proportional %+.2f, power:3 %+.2f "
           "lots\n",
           error[0] / (double)steps, error[1] / (double)steps, error[2] / (double)steps);
}
