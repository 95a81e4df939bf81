#ifndef HG_VENUE_IMPORT_DERIBIT_INT_H
#define HG_VENUE_IMPORT_DERIBIT_INT_H

#include "venue/import_book_int.h"
#include "venue/import_json_int.h"
#include "venue/import_terms_int.h"

/* What is known of one instrument while its channels are being imported. */
typedef struct hg_deribit_state {
    hg_import_book book;
    bool book_live;  /* a snapshot has come and no gap since */
    bool book_raw;   /* from the changes channel: grouped windows of the same book are ignored */
    int64_t last_id; /* change_id of the last message applied */
    bool halted;
    bool delivered;
    /* incremental_ticker sends only what changed */
    double bid, ask, bid_size, ask_size, mark, iv;
} hg_deribit_state;

typedef struct hg_deribit {
    hg_import im;
    hg_import_terms terms;
    hg_deribit_state **states; /* by instrument id */
    uint32_t state_count;
    int64_t now_ns;

    char *joined; /* a document printed over many lines */
    size_t joined_len;
} hg_deribit;

/* Takes the instruments of a get_instruments or get_instrument reply (its "result"). */
HG_MUST_CHECK int hg_deribit_terms_read(hg_import_terms *terms, const cJSON *result);

/* The instrument of that name, added when it is described or known; HG_ID_NONE. */
uint32_t hg_deribit_find(hg_deribit *d, const char *name);
/* The instrument of a message: checks name and expiry, counts the message as rejected otherwise. */
bool hg_deribit_instrument(hg_deribit *d, const char *name, uint32_t *id);
/* Its state, made when it is new; NULL: out of memory. */
hg_deribit_state *hg_deribit_state_get(hg_deribit *d, uint32_t id);

/* The data of a channel. A message that is rejected is counted, and is no error. */
HG_MUST_CHECK int hg_deribit_ticker(hg_deribit *d, const cJSON *data, bool incremental);
HG_MUST_CHECK int hg_deribit_quote(hg_deribit *d, const cJSON *data);
HG_MUST_CHECK int hg_deribit_trades(hg_deribit *d, const cJSON *data);
HG_MUST_CHECK int hg_deribit_index(hg_deribit *d, const cJSON *data);
HG_MUST_CHECK int hg_deribit_perpetual(hg_deribit *d, const cJSON *data, const char *channel);
HG_MUST_CHECK int hg_deribit_marks(hg_deribit *d, const cJSON *data);
HG_MUST_CHECK int hg_deribit_book(hg_deribit *d, const cJSON *data);

#endif
