#ifndef HG_MARKET_SMILE_INT_H
#define HG_MARKET_SMILE_INT_H

#include "market/live_surface.h"
#include "market/market_int.h"

/* Private to the market room: smile_input.c keeps what was known when a period began,
 * live_surface.c fits, smile_dynamics.c learns. */

/* What an option says about the smile. */
typedef struct hg_smile_input {
    hg_ticks bid, ask; /* 0: no such side */
    int64_t quote_ns;
    double quote_spot; /* when it was quoted */
    hg_nano iv;        /* the venue's mark vol, or ... */
    hg_nano mark;      /* ... price */
    int64_t mark_ns;
    double mark_forward; /* when it was told */
} hg_smile_input;

/* The market as it stood when a period began: options that have not spoken since are as they are
 * now. */
typedef struct hg_smile_layer {
    int64_t period_ns;
    int64_t begin_ns;     /* of this period */
    uint64_t epoch;       /* its number, from 1 */
    uint64_t *kept_in;    /* by instrument: the epoch of `kept` */
    hg_smile_input *kept; /* by instrument */
    double *forwards;     /* by expiry */
    double *spots;        /* by underlying */
} hg_smile_layer;

enum { HG_LAYER_NEAR, HG_LAYER_ANCHOR, HG_LAYERS, HG_SURFACE_MODELS = 3 };

/* One fit and what it depends on. */
typedef struct hg_smile_fit {
    hg_live_surface live;
    bool good;            /* there is a surface */
    uint64_t epoch;       /* of the layer it was fitted to; 0: to the market of `inputs` */
    uint64_t epoch_empty; /* of the layer that had nothing fresh */
    uint64_t inputs;
    double ratio[HG_SURFACE_SLICES_MAX]; /* forwards over spot used */
} hg_smile_fit;

typedef struct hg_smile_sample {
    uint32_t id;
    double vol;
} hg_smile_sample;

#define HG_SAMPLE_MAX 16

/* The last sample of the dynamics of one underlying. */
typedef struct hg_smile_past {
    uint32_t expiry_id; /* HG_ID_NONE: none yet */
    int64_t time_ns;
    double forward, t;
    double atm, slope;
    uint32_t count;
    hg_smile_sample at[HG_SAMPLE_MAX];
} hg_smile_past;

typedef struct hg_smiles {
    int64_t roll_ns; /* the first moment at which some period ends */
    int64_t sample_ns;
    hg_smile_layer layer[HG_LAYERS];
    double *quote_spot;          /* by instrument: the spot when it was quoted */
    uint64_t *inputs;            /* by underlying: changes with what its options say */
    hg_smile_fit *fits;          /* by underlying and model */
    hg_smile_fit *anchors;       /* likewise, for the start */
    hg_smile_dynamics *dynamics; /* by underlying */
    hg_smile_past *past;
    hg_surface_work *work;
    hg_smile_quote *quotes; /* room for the options of one underlying */
    uint32_t *ids;
    const hg_smile_fit *quotes_of; /* whose they are */
    uint64_t versions;
} hg_smiles;

/* smile_input.c */
hg_smiles *hg_smiles_new(const hg_market *market); /* NULL: no memory */
void hg_smiles_free(hg_smiles *smiles);
/* Ends the periods that are over at `now_ns`; asking for a surface may do so before an event does,
 * and nothing changes by it. */
void hg_smiles_roll(const hg_market *market, int64_t now_ns);
/* The same for an event, before it is applied: samples of the dynamics are taken too. */
void hg_smiles_event(const hg_market *market, int64_t now_ns);
void hg_smile_input_read(const hg_market *market, uint32_t id, hg_smile_input *out);

/* Before an option changes. */
static inline void hg_smiles_keep(const hg_market *m, const hg_instrument *inst) {
    hg_smiles *s = m->smiles;
    s->inputs[inst->underlying_id]++;
    for (int i = 0; i < HG_LAYERS; i++) {
        if (s->layer[i].kept_in[inst->id] != s->layer[i].epoch) {
            hg_smile_input_read(m, inst->id, &s->layer[i].kept[inst->id]);
            s->layer[i].kept_in[inst->id] = s->layer[i].epoch;
        }
    }
}

/* smile_dynamics.c */
void hg_dynamics_init(hg_smiles *smiles, uint32_t underlyings);
void hg_dynamics_sample(const hg_market *market, uint32_t underlying, int64_t now_ns);

#endif
