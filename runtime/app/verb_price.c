/* price: one option, all its Greeks, or the vol behind a price. */
#include "app/verb.h"
#include "base/clock.h"
#include "base/json.h"
#include "domain/instrument.h"
#include "greeks/american.h"
#include "greeks/bachelier.h"
#include "greeks/black76.h"
#include "greeks/inverse.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const hg_flag flags[] = {
    {"forward", "F",              "forward of the expiry, USD per coin (--spot is the same)"    },
    {"spot",    "S",              "as --forward, for a quick look without a basis"              },
    {"strike",  "K",              "strike"                                                      },
    {"type",    "C|P",            "call or put"                                                 },
    {"expiry",  "27FEB26",        "expiry date, 08:00 UTC; needs --at or the clock of now"      },
    {"at",      "YYYY-MM-DD",     "valuation date, 00:00 UTC (default: now)"                    },
    {"days",    "N",              "time to expiry in days, instead of --expiry"                 },
    {"years",   "T",              "time to expiry in years (ACT/365)"                           },
    {"iv",      "SIGMA",          "vol as a fraction (0.6)"                                     },
    {"price",   "P",              "price: prints the implied vol (in coin with --style inverse)"},
    {"style",   "linear|inverse", "settlement: USD or coin (default linear, inverse for names)" },
    {"model",   "NAME",           "black, bachelier (--iv in price units), american (--spot)"   },
    {"carry",   "Q",              "american: rate of the asset, its dividend or funding"        },
    {"rate",    "R",              "discount rate, continuously compounded (default 0)"          },
    HG_FLAG_JSON,
    HG_FLAGS_END,
};

typedef enum { MODEL_BLACK, MODEL_BACHELIER, MODEL_AMERICAN } price_model;

typedef struct {
    double forward, strike, years, sigma, price, rate, carry;
    price_model model;
    int cp;
    bool inverse;
    bool have_sigma, have_price;
} quote;

static int from_name(const hg_args *args, quote *q, int64_t *expiry_ns) {
    if (args->word_count == 0) {
        return HG_OK;
    }
    hg_instrument inst;
    int rc = hg_instrument_from_name(args->words[0], &inst);
    if (rc < 0) {
        return HG_EUSAGE;
    }
    if (inst.kind != HG_KIND_OPTION) {
        return HG_ERR(HG_EUSAGE, "%s is not an option", inst.name);
    }
    q->strike = hg_nano_to_double(inst.strike);
    q->cp = inst.cp;
    q->inverse = inst.inverse;
    *expiry_ns = inst.expiry_ns;
    return HG_OK;
}

static int date_parse(const char *text, int64_t *time_ns) {
    hg_date date = {0};
    int used = 0;
    if (sscanf(text, "%4d-%2d-%2d%n", &date.year, &date.month, &date.day, &used) != 3 ||
        text[used] != '\0' || !hg_date_valid(date)) {
        return HG_ERR(HG_EUSAGE, "--at %s: want YYYY-MM-DD", text);
    }
    *time_ns = hg_date_to_days(date) * HG_NS_PER_DAY;
    return HG_OK;
}

static int time_read(const hg_args *args, quote *q, int64_t expiry_ns) {
    double days = -1;
    q->years = -1;
    int rc = hg_args_double(args, "days", &days);
    if (rc == HG_OK) {
        rc = hg_args_double(args, "years", &q->years);
    }
    const char *expiry = hg_args_get(args, "expiry", NULL);
    if (rc == HG_OK && expiry && !hg_expiry_parse(expiry, strlen(expiry), &expiry_ns)) {
        rc = HG_ERR(HG_EUSAGE, "--expiry %s: want a date such as 27FEB26", expiry);
    }
    if (rc < 0) {
        return rc;
    }
    if ((hg_args_has(args, "days") && days < 0) || (hg_args_has(args, "years") && q->years < 0)) {
        return HG_ERR(HG_EUSAGE, "--days and --years must not be below zero");
    }
    if (days >= 0) {
        q->years = days / 365;
    }
    if (q->years < 0 && expiry_ns > 0) {
        int64_t now_ns = hg_clock_wall_ns();
        const char *at = hg_args_get(args, "at", NULL);
        rc = at ? date_parse(at, &now_ns) : HG_OK;
        q->years = (double)(expiry_ns - now_ns) / (double)HG_NS_PER_YEAR;
        if (rc == HG_OK && q->years < 0) {
            rc = HG_ERR(HG_EUSAGE, "the option has expired (%.1f days ago)", -q->years * 365);
        }
    } else if (q->years < 0) {
        rc = HG_ERR(HG_EUSAGE, "time to expiry is missing: --expiry, --days or --years");
    }
    return rc;
}

static int type_read(const hg_args *args, quote *q) {
    static const char *const types[] = {"C", "P", "call", "put", NULL};
    static const char *const styles[] = {"linear", "inverse", NULL};
    static const char *const models[] = {"black", "bachelier", "american", NULL};
    size_t model = 0;
    size_t type = q->cp < 0;
    size_t style = q->inverse;
    int rc = hg_args_choice(args, "type", types, &type);
    if (rc == HG_OK) {
        rc = hg_args_choice(args, "style", styles, &style);
    }
    if (rc == HG_OK) {
        rc = hg_args_choice(args, "model", models, &model);
    }
    q->model = (price_model)model;
    if (rc == HG_OK && q->cp == 0 && !hg_args_has(args, "type")) {
        rc = HG_ERR(HG_EUSAGE, "--type C or --type P is missing");
    }
    q->cp = type % 2 == 0 ? 1 : -1;
    q->inverse = style == 1;
    return rc;
}

/* What must hold between the inputs. */
static int quote_check(const hg_args *args, const quote *q) {
    bool any_sign = q->model == MODEL_BACHELIER;
    if (!any_sign && (q->forward <= 0 || q->strike <= 0)) {
        return HG_ERR(HG_EUSAGE, "--forward and --strike must be above zero");
    }
    if (any_sign && (!(hg_args_has(args, "forward") || hg_args_has(args, "spot")) ||
                     !(hg_args_has(args, "strike") || args->word_count > 0))) {
        return HG_ERR(HG_EUSAGE, "--forward and --strike are needed");
    }
    if (q->have_sigma == q->have_price) {
        return HG_ERR(HG_EUSAGE, "give either --iv or --price");
    }
    if (q->have_price && q->years <= 0) {
        return HG_ERR(HG_EUSAGE, "no vol at expiry: --price needs time above zero");
    }
    if (q->have_price && q->model == MODEL_AMERICAN) {
        return HG_ERR(HG_EUSAGE, "--price finds no vol of --model american; give --iv");
    }
    if (q->inverse && q->model != MODEL_BLACK) {
        return HG_ERR(HG_EUSAGE, "--style inverse goes with --model black only");
    }
    if (hg_args_has(args, "carry") && q->model != MODEL_AMERICAN) {
        return HG_ERR(HG_EUSAGE, "--carry goes with --model american only");
    }
    if (q->inverse && q->rate != 0) {
        return HG_ERR(HG_EUSAGE, "--rate applies to linear options only");
    }
    if (q->model != MODEL_BACHELIER && q->sigma > 5) {
        fprintf(stderr, "note: --iv %g is %.0f %%; a fraction is meant (0.5)\n", q->sigma,
                q->sigma * 100);
    }
    return HG_OK;
}

static int quote_read(const hg_args *args, quote *q) {
    int64_t expiry_ns = 0;
    *q = (quote){0};
    int rc = from_name(args, q, &expiry_ns);
    if (rc == HG_OK) {
        rc = type_read(args, q);
    }
    const struct {
        const char *name;
        double *value;
    } numbers[] = {
        {"spot",    &q->forward},
        {"forward", &q->forward},
        {"strike",  &q->strike },
        {"iv",      &q->sigma  },
        {"price",   &q->price  },
        {"rate",    &q->rate   },
        {"carry",   &q->carry  }
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0] && rc == HG_OK; i++) {
        rc = hg_args_double(args, numbers[i].name, numbers[i].value);
    }
    if (rc == HG_OK) {
        rc = time_read(args, q, expiry_ns);
    }
    if (rc < 0) {
        return rc;
    }
    q->have_sigma = hg_args_has(args, "iv");
    q->have_price = hg_args_has(args, "price");
    return quote_check(args, q);
}

static int solve(quote *q) {
    int rc = HG_OK;
    if (q->have_price) {
        double usd = q->inverse ? q->price * q->forward : q->price;
        rc = q->model == MODEL_BACHELIER
                 ? hg_bachelier_implied_vol(usd, q->forward, q->strike, q->years, q->cp, q->rate,
                                            &q->sigma)
                 : hg_implied_vol(usd, q->forward, q->strike, q->years, q->cp, q->rate, &q->sigma);
    }
    return rc < 0 ? HG_ERR(HG_ERANGE, "no vol gives that price: %s", hg_greeks_strerror(rc)) : rc;
}

static void put(hg_json *j, const char *name, const char *unit, double value) {
    value += 0.0; /* -0 is 0 to a reader */
    if (j) {
        hg_json_number(j, name, value);
    } else {
        printf("  %-12s %18.10g  %s\n", name, value, unit);
    }
}

static void print_linear(const hg_greeks *g, hg_json *j) {
    put(j, "price", "USD", g->price);
    put(j, "delta", "dV/dF", g->delta);
    put(j, "gamma", "d2V/dF2", g->gamma);
    put(j, "vega", "USD per 1.00 of vol", g->vega);
    put(j, "theta", "USD per year", g->theta);
    put(j, "rho", "USD per 1.00 of rate", g->rho);
    put(j, "vanna", "d delta per 1.00 of vol", g->vanna);
    put(j, "volga", "d vega per 1.00 of vol", g->volga);
    put(j, "charm", "d delta per year", g->charm);
    put(j, "speed", "d3V/dF3", g->speed);
    put(j, "color", "d gamma per year", g->color);
    put(j, "zomma", "d gamma per 1.00 of vol", g->zomma);
    put(j, "ultima", "d3V/dsigma3", g->ultima);
}

static void print_inverse(const hg_inverse_greeks *g, hg_json *j) {
    put(j, "price", "coin", g->price);
    put(j, "delta", "coin, hedges the USD value", g->delta);
    put(j, "delta_net", "coin, hedges the coin value", g->delta_net);
    put(j, "gamma", "d2c/dF2", g->gamma);
    put(j, "vega", "coin per 1.00 of vol", g->vega);
    put(j, "theta", "coin per year", g->theta);
}

static void print_head(const quote *q, hg_json *j) {
    put(j, "iv", q->model == MODEL_BACHELIER ? "price units per sqrt(year)" : "fraction", q->sigma);
    put(j, "years", "ACT/365", q->years);
}

/* The price beside the European one on the same carry. */
static int print_american(const quote *q, hg_json *j) {
    double american;
    double european;
    double forward = q->forward * exp((q->rate - q->carry) * q->years);
    int rc = hg_american_price(q->forward, q->strike, q->years, q->sigma, q->cp, q->rate, q->carry,
                               &american);
    if (rc == HG_OK) {
        rc = hg_black76_price(forward, q->strike, q->years, q->sigma, q->cp, q->rate, &european);
    }
    if (rc == HG_OK) {
        print_head(q, j);
        put(j, "price", "USD", american);
        put(j, "european", "USD", european);
        put(j, "premium", "USD, of early exercise", american - european);
    }
    return rc;
}

static int print(const quote *q, hg_json *j) {
    hg_greeks linear;
    hg_inverse_greeks inverse;
    int rc = HG_OK;
    if (q->model == MODEL_AMERICAN) {
        rc = print_american(q, j);
    } else if (q->model == MODEL_BACHELIER) {
        rc = hg_bachelier_all(q->forward, q->strike, q->years, q->sigma, q->cp, q->rate, &linear);
    } else if (q->inverse) {
        rc = hg_inverse_all(q->forward, q->strike, q->years, q->sigma, q->cp, &inverse);
    } else {
        rc = hg_black76_all(q->forward, q->strike, q->years, q->sigma, q->cp, q->rate, &linear);
    }
    if (rc < 0) {
        return HG_ERR(HG_ERANGE, "cannot price: %s", hg_greeks_strerror(rc));
    }
    if (q->model == MODEL_AMERICAN) {
        return HG_OK;
    }
    print_head(q, j);
    if (q->inverse) {
        print_inverse(&inverse, j);
    } else {
        print_linear(&linear, j);
    }
    return HG_OK;
}

static int run(hg_args *args) {
    quote q;
    int rc = quote_read(args, &q);
    if (rc == HG_OK) {
        rc = solve(&q);
    }
    char buf[2048];
    hg_json json;
    hg_json_init(&json, buf, sizeof buf);
    bool as_json = hg_args_has(args, "json");
    if (rc == HG_OK) {
        hg_json_open(&json, NULL);
        hg_json_string(&json, "style", q.inverse ? "inverse" : "linear");
        rc = print(&q, as_json ? &json : NULL);
        hg_json_close(&json);
    }
    if (rc < 0) {
        return hg_verb_fail(rc);
    }
    if (as_json) {
        printf("%s\n", hg_json_text(&json));
    }
    return HG_EXIT_OK;
}

const hg_verb hg_verb_price = {
    .name = "price",
    .synopsis = "[OPTION] --forward F --strike K --type C|P --days N (--iv S | --price P)",
    .summary = "price and Greeks of one option, or the vol behind a price",
    .example = "hedged price BTC-27FEB26-80000-P --forward 88000 --at 2026-01-29 --iv 0.42",
    .flags = flags,
    .run = run,
};
