#ifndef HG_APP_CONTROL_TEXT_H
#define HG_APP_CONTROL_TEXT_H

#include <cJSON.h>

/* Answers of the control socket as text for people, on stdout. */
/* Texts in it that scripts may have made cannot steer the terminal afterwards. */
void hg_control_clean(cJSON *answer);
void hg_control_print_status(const cJSON *result);
void hg_control_print(const char *cmd, const cJSON *result);

#endif
