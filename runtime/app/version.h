#ifndef HG_APP_VERSION_H
#define HG_APP_VERSION_H

#define HG_VERSION "0.1.0"

#endif
