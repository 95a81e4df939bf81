/*
 * Fitting a surface: quotes to points, points to slices by the chosen model, earlier slices as
 * starts.
 */
#include <math.h>
#include <stddef.h>

#include "greeks/black76.h"
#include "greeks/surface.h"

hg_surface_options hg_surface_options_default(void) {
    return (hg_surface_options){
        .model = HG_SURFACE_ESSVI,
        .filter = hg_smile_filter_default(),
        .sweeps = 1,
        .sabr_beta = 1.0,
    };
}

static const hg_surface_slice *slice_find(const hg_surface *s, int64_t key) {
    for (int i = 0; i < s->n; i++) {
        if (s->slices[i].key == key) return &s->slices[i];
    }
    return NULL;
}

/* Points of the expiries that have any two-sided, packed at the front of `made` and `work`. */
static int points_take(const hg_surface_expiry *chain, int n, const hg_surface_options *options,
                       hg_surface_work *work, hg_smile_slice *slices, hg_surface *made) {
    for (int i = 0; i < n; i++) {
        hg_surface_slice *slice = &made->slices[made->n];
        hg_smile_point *points = work->points[made->n];
        if (!(chain[i].t > (i > 0 ? chain[i - 1].t : 0.0) && chain[i].t <= 1e3)) {
            return HG_GREEKS_BAD_INPUT;
        }
        int count = hg_smile_points(chain[i].quotes, chain[i].n, chain[i].forward, chain[i].t,
                                    &options->filter, points, &slice->count);
        if (count < 0) return count;
        if (slice->count.used == 0) continue;
        slice->key = chain[i].key;
        slice->t = chain[i].t;
        slice->forward = chain[i].forward;
        slices[made->n++] = (hg_smile_slice){points, count, chain[i].t};
    }
    return made->n > 0 ? HG_OK : HG_GREEKS_BAD_INPUT;
}

/* All together; a slice that is new has no start (all zero). */
static int fit_essvi(const hg_smile_slice *slices, const hg_surface_options *options,
                     const hg_surface *earlier, hg_surface *made) {
    hg_essvi fit[HG_SURFACE_SLICES_MAX] = {{0}};
    hg_smile_quality quality[HG_SURFACE_SLICES_MAX];
    bool any = false;
    for (int i = 0; i < made->n; i++) {
        const hg_surface_slice *before = slice_find(earlier, made->slices[i].key);
        if (before) fit[i] = before->essvi;
        any = any || before;
    }
    hg_essvi_options o = {.warm = any, .sweeps = any ? 0 : options->sweeps};
    int code = hg_essvi_fit(slices, made->n, &o, fit, quality);
    for (int i = 0; i < made->n && code == HG_OK; i++) {
        made->slices[i].essvi = fit[i];
        made->slices[i].quality = quality[i];
        code = hg_essvi_to_svi(&fit[i], &made->slices[i].svi);
    }
    return code;
}

static int fit_single(const hg_smile_slice *points, const hg_surface_options *options,
                      const hg_surface_slice *before, hg_surface_slice *slice) {
    if (options->model == HG_SURFACE_SABR) {
        return hg_sabr_fit(points->points, points->n, slice->forward, slice->t, options->sabr_beta,
                           before ? &before->sabr : NULL, &slice->sabr, &slice->quality);
    }
    hg_svi_fit_options o = {.start = before ? &before->svi : NULL};
    return hg_svi_fit(points->points, points->n, &o, &slice->svi, &slice->quality);
}

int hg_surface_fit(const hg_surface_expiry *chain, int n, const hg_surface_options *options,
                   hg_surface_work *work, hg_surface *surface) {
    hg_smile_slice slices[HG_SURFACE_SLICES_MAX];
    hg_surface made = {.model = options->model};
    hg_surface earlier = {.n = 0};
    if (n < 1 || n > HG_SURFACE_SLICES_MAX || surface->n > HG_SURFACE_SLICES_MAX) {
        return HG_GREEKS_BAD_INPUT;
    }
    if (surface->n > 0 && surface->model == options->model) earlier = *surface;
    int code = points_take(chain, n, options, work, slices, &made);
    if (code == HG_OK && options->model == HG_SURFACE_ESSVI) {
        code = fit_essvi(slices, options, &earlier, &made);
    } else {
        for (int i = 0; i < made.n && code == HG_OK; i++) {
            code = fit_single(&slices[i], options, slice_find(&earlier, made.slices[i].key),
                              &made.slices[i]);
        }
    }
    if (code == HG_OK) *surface = made;
    return code;
}
