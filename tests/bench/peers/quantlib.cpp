/* The same book through QuantLib (Debian's libquantlib0-dev): its formula, its calculator, its
 * pricing engine behind a quote, and its implied volatility. */
#include "peers.h"

#include <ql/quantlib.hpp>

#include <cmath>
#include <memory>
#include <vector>

using namespace QuantLib;

static Option::Type type_of(double cp) {
    return cp > 0 ? Option::Call : Option::Put;
}

void peer_quantlib_formula(peer_book *b) {
    for (size_t i = 0; i < b->n; i++) {
        b->price[i] = blackFormula(type_of(b->cp[i]), b->k[i], b->f[i],
                                   b->sigma[i] * std::sqrt(b->t[i]));
    }
}

/* With the forward as its spot: discount 1, no dividends, so theta is that of Black-76. */
void peer_quantlib_black(peer_book *b) {
    for (size_t i = 0; i < b->n; i++) {
        BlackCalculator c(type_of(b->cp[i]), b->k[i], b->f[i], b->sigma[i] * std::sqrt(b->t[i]));
        b->price[i] = c.value();
        b->delta[i] = c.deltaForward();
        b->gamma[i] = c.gammaForward();
        b->vega[i] = c.vega(b->t[i]);
        b->theta[i] = c.theta(b->f[i], b->t[i]);
        b->rho[i] = c.rho(b->t[i]);
    }
}

namespace {

/* One live option: quotes, process, engine. QuantLib counts whole days, so its times are rounded;
 * the work is the same. */
struct Live {
    ext::shared_ptr<SimpleQuote> spot, vol;
    ext::shared_ptr<VanillaOption> option;
};

std::vector<Live> engine_make(const peer_book *b) {
    Date today(29, January, 2026);
    Settings::instance().evaluationDate() = today;
    DayCounter days = Actual365Fixed();
    Handle<YieldTermStructure> flat(ext::make_shared<FlatForward>(today, 0.0, days));
    std::vector<Live> book;
    for (size_t i = 0; i < b->n; i++) {
        Live live;
        live.spot = ext::make_shared<SimpleQuote>(b->f[i]);
        live.vol = ext::make_shared<SimpleQuote>(b->sigma[i]);
        Handle<BlackVolTermStructure> vol(ext::make_shared<BlackConstantVol>(
            today, NullCalendar(), Handle<Quote>(live.vol), days));
        auto process = ext::make_shared<BlackScholesMertonProcess>(Handle<Quote>(live.spot), flat,
                                                                   flat, vol);
        Integer to_expiry = std::max<Integer>(1, Integer(std::lround(b->t[i] * 365)));
        live.option = ext::make_shared<VanillaOption>(
            ext::make_shared<PlainVanillaPayoff>(type_of(b->cp[i]), b->k[i]),
            ext::make_shared<EuropeanExercise>(today + to_expiry));
        live.option->setPricingEngine(ext::make_shared<AnalyticEuropeanEngine>(process));
        book.push_back(live);
    }
    return book;
}

} // namespace

void peer_quantlib_engine(peer_book *b) {
    static std::vector<Live> book = engine_make(b);
    static double tick = 0.01;
    tick = -tick;
    for (size_t i = 0; i < b->n; i++) {
        VanillaOption &o = *book[i].option;
        book[i].spot->setValue(b->f[i] + tick);
        b->price[i] = o.NPV();
        b->delta[i] = o.delta();
        b->gamma[i] = o.gamma();
        b->vega[i] = o.vega();
        b->theta[i] = o.theta();
        b->rho[i] = o.rho();
    }
}

void peer_quantlib_implied(peer_book *b) {
    for (size_t i = 0; i < b->n; i++) {
        try {
            b->vol[i] = blackFormulaImpliedStdDev(type_of(b->cp[i]), b->k[i], b->f[i], b->price[i],
                                                  1.0, 0.0, Null<Real>(), 1e-14, 1000) /
                        std::sqrt(b->t[i]);
        } catch (const std::exception &) {
            b->vol[i] = NAN; /* it gives up far from the money */
        }
    }
}

/* Every option the same as in the product's case: at 100, one year, 30 %, r 3 %. */
void peer_quantlib_american(peer_book *b) {
    static ext::shared_ptr<SimpleQuote> spot = ext::make_shared<SimpleQuote>(100.0);
    static std::vector<ext::shared_ptr<VanillaOption>> put;
    if (put.empty()) {
        Date today(29, January, 2026);
        Settings::instance().evaluationDate() = today;
        DayCounter days = Actual365Fixed();
        Handle<YieldTermStructure> rate(ext::make_shared<FlatForward>(today, 0.03, days));
        Handle<YieldTermStructure> none(ext::make_shared<FlatForward>(today, 0.0, days));
        Handle<BlackVolTermStructure> vol(
            ext::make_shared<BlackConstantVol>(today, NullCalendar(), 0.3, days));
        auto process = ext::make_shared<BlackScholesMertonProcess>(Handle<Quote>(spot), none, rate,
                                                                   vol);
        put.push_back(ext::make_shared<VanillaOption>(
            ext::make_shared<PlainVanillaPayoff>(Option::Put, 100.0),
            ext::make_shared<AmericanExercise>(today, today + 365)));
        put[0]->setPricingEngine(
            ext::make_shared<QdFpAmericanEngine>(process, QdFpAmericanEngine::fastScheme()));
    }
    static double tick = 1e-9;
    for (size_t i = 0; i < b->n; i++) {
        tick = -tick;
        spot->setValue(100.0 + tick);
        b->price[i] = put[0]->NPV();
    }
}
