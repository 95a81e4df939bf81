#ifndef HG_APP_HARNESS_H
#define HG_APP_HARNESS_H

/* Makes whole sessions available to Lua tests (module hedged.test). */
void hg_harness_register(void);

#endif
