// The same loop as c_tinypb, with messages decoded and encoded by libprotobuf: the cost of an
// efficient C++ server of this wire format.
#include "order.pb.h"

#include "tinypb_server.h"

static std::string order_id = "20230514";

static size_t answer(const char *request, size_t length, char *reply, size_t room) {
    static makeOrderRequest order; // reused, as recommended by protobuf's guide
    static makeOrderResponse made;
    if (!order.ParseFromArray(request, (int)length)) return 0;
    made.Clear();
    made.set_res_info("OK");
    if (order.price() > 0) made.set_order_id(order_id);
    size_t count = made.ByteSizeLong();
    if (count > room) abort();
    made.SerializeWithCachedSizesToArray((uint8_t *)reply);
    return count;
}

int main(int argc, char **argv) {
    options_parse(argc, argv);
    for (size_t i = 8; i < payload_bytes; i++) order_id += order_id[i - 8];
    if (payload_bytes) order_id.resize(payload_bytes);
    return serve_forever();
}
