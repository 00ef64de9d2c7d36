// A server by Apache Thrift's library, non-blocking: framed transport, binary protocol, one I/O
// thread that also runs the handlers.
#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/server/TNonblockingServer.h>
#include <thrift/transport/TNonblockingServerSocket.h>

#include "Order.h"
#include "peer_server.h"

using namespace apache::thrift;

class OrderImpl final : public OrderIf {
public:
    explicit OrderImpl(std::string id) : id(std::move(id)) {}

    void makeOrder(Response &response, const Request &request) override {
        response.res_info = "OK";
        if (request.price > 0) response.order_id = id;
    }

private:
    std::string id;
};

class Announcer final : public server::TServerEventHandler {
public:
    explicit Announcer(std::shared_ptr<transport::TNonblockingServerSocket> socket)
        : socket(std::move(socket)) {}
    void preServe() override { announce(socket->getListenPort()); }

private:
    std::shared_ptr<transport::TNonblockingServerSocket> socket;
};

int main(int argc, char **argv) {
    auto socket = std::make_shared<transport::TNonblockingServerSocket>("127.0.0.1", 0);
    server::TNonblockingServer server(
        std::make_shared<OrderProcessor>(std::make_shared<OrderImpl>(order_id_of(argc, argv))),
        std::make_shared<protocol::TBinaryProtocolFactory>(), socket);
    server.setServerEventHandler(std::make_shared<Announcer>(socket));
    server.serve();
}
