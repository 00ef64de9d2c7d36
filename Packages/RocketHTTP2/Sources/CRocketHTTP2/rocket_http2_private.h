#include "rocket_http2.h"

#include <nghttp2/nghttp2.h>

struct rocket_http2_session {
    nghttp2_session *session;
    rocket_http2_callbacks call;
    void *context;
    nghttp2_mem memory;
};

/// The functions by which nghttp2 uses the pool.
nghttp2_mem rocket_http2_pool_functions(rocket_http2_pool *pool);

/// The body of a stream, as nghttp2 asks for it.
extern const nghttp2_data_provider rocket_http2_body;
