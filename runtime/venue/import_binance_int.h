#ifndef HG_VENUE_IMPORT_BINANCE_INT_H
#define HG_VENUE_IMPORT_BINANCE_INT_H

#include "venue/import_book_int.h"
#include "venue/import_json_int.h"
#include "venue/import_terms_int.h"

typedef enum { HG_BINANCE_USDM, HG_BINANCE_COINM, HG_BINANCE_SPOT } hg_binance_market;

/* Takes the symbols of an exchangeInfo reply. HG_ENOMEM; symbols that make no sense are left out.
 */
HG_MUST_CHECK int hg_binance_terms_read(hg_import_terms *terms, const cJSON *reply,
                                        hg_binance_market market);

/* Terms of a symbol: from the capture, else from a small table of the large contracts. */
bool hg_binance_terms_find(hg_import_terms *terms, const char *symbol, hg_binance_market market,
                           hg_instrument *out);

/* Which market a message belongs to, by the fields only that market sends. */
hg_binance_market hg_binance_market_of(const cJSON *data, const char *symbol);

/* USD per contract of COIN-M, by Binance's contract specification: 100 for BTC, 10 for others. */
hg_nano hg_binance_contract_usd(const char *symbol);

// --- books --------------------------------------------------------------------------------------

enum { HG_BINANCE_SYMBOLS_MAX = 512, HG_BINANCE_SNAPSHOTS_MAX = 64 };

typedef enum { HG_BINANCE_WAITING, HG_BINANCE_FIRST, HG_BINANCE_LIVE } hg_binance_state;

typedef struct {
    char symbol[HG_NAME_MAX];
    hg_binance_market market;
    uint32_t id;
    hg_nano unit; /* of quantities: 1 coin or the USD value of a contract */
    hg_binance_state state;
    int64_t last_id;
    hg_import_book book;
    cJSON *waiting; /* array of diffs not yet applied */
    int waiting_count;
} hg_binance_symbol;

/* Captures of cryptofeed list all REST replies first; they wait for their time. */
typedef struct {
    int64_t time_ns;
    hg_binance_symbol *of;
    cJSON *reply;
} hg_binance_snapshot;

typedef struct {
    hg_import im;
    hg_import_terms terms;
    hg_binance_symbol *symbols[HG_BINANCE_SYMBOLS_MAX];
    int symbol_count;
    hg_binance_snapshot snapshots[HG_BINANCE_SNAPSHOTS_MAX];
    int snapshot_count;
    int64_t now_ns;
    bool framed; /* a cryptofeed capture */
    hg_binance_market framed_market;
} hg_binance;

/* The symbol of a message, made when it is new. NULL: unknown. */
hg_binance_symbol *hg_binance_symbol_get(hg_binance *b, const cJSON *data, const char *name);
void hg_binance_symbol_free(hg_binance_symbol *s);

/* A depthUpdate, a REST snapshot: whole or not at all. */
HG_MUST_CHECK int hg_binance_diff(hg_binance *b, hg_binance_symbol *s, const cJSON *data);
HG_MUST_CHECK int hg_binance_snapshot_take(hg_binance *b, hg_binance_symbol *s, const cJSON *reply);

#endif
