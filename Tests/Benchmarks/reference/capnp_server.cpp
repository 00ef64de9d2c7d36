// A server by Cap'n Proto's library: its event loop on one thread.
#include <capnp/ez-rpc.h>

#include "order.capnp.h"
#include "peer_server.h"

class OrderImpl final : public Order::Server {
public:
    explicit OrderImpl(std::string id) : id(std::move(id)) {}

    kj::Promise<void> makeOrder(MakeOrderContext context) override {
        auto price = context.getParams().getPrice();
        auto results = context.getResults();
        results.setResInfo("OK");
        results.setOrderId(price > 0 ? id.c_str() : "");
        return kj::READY_NOW;
    }

private:
    std::string id;
};

int main(int argc, char **argv) {
    capnp::ReaderOptions limits;
    limits.traversalLimitInWords = 1ull << 40;
    capnp::EzRpcServer server(kj::heap<OrderImpl>(order_id_of(argc, argv)), "127.0.0.1:0", 0, limits);
    announce((int)server.getPort().wait(server.getWaitScope()));
    kj::NEVER_DONE.wait(server.getWaitScope());
}
