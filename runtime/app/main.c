/* The program: everything is in the verbs. */
#include "app/harness.h"
#include "app/verbs.h"

int main(int argc, char **argv) {
    hg_harness_register();
    return hg_verbs_main(argc, argv);
}
