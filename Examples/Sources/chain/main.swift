// chain rates ADDRESS                 the third service; `chain rates 127.0.0.1:7003`
// chain pricing ADDRESS NEXT          the second one; `chain pricing 127.0.0.1:7002 127.0.0.1:7003`
// chain shop ADDRESS NEXT             the first one; `chain shop 127.0.0.1:7001 127.0.0.1:7002`
// chain quote ITEM CURRENCY ADDRESS   asks the first one; `chain quote tea CHF 127.0.0.1:7001`

import Logging
import RocketBase
import RocketCodec
import RocketRPC
import RocketSystem
import RocketTCP
import ServiceLifecycle
import SwiftProtobuf
import UnixSignals

/// Serves until SIGTERM or Ctrl-C.
func serve(_ service: any RPCService, at address: String) async throws {
    let address = try NetAddress(parsing: address)
    let server = try RPCServer(
        configuration: RPCServerConfiguration(tcp: TCPServerConfiguration(listen: [address])),
        services: [service])
    let group = ServiceGroup(
        services: [server], gracefulShutdownSignals: [.sigterm, .sigint],
        logger: Logger(label: "chain"))
    try await group.run()
}

func channel(to address: String) throws -> RPCChannel {
    try RPCChannel(to: NetAddress(parsing: address))
}

let arguments = Array(CommandLine.arguments.dropFirst())
do {
    switch (arguments.first, arguments.count) {
    case ("rates", 2):
        let rates = ["CHF": Int64(94), "USD": 109]
        let service = Rates { currency, _ in
            guard let rate = rates[currency] else {
                throw RPCError(.notFound, "no rate of \(currency)")
            }
            return rate
        }
        try await serve(service, at: arguments[1])
    case ("pricing", 3):
        let rates = try Pricing.channelToRates(at: NetAddress(parsing: arguments[2]))
        let service = Pricing(rates: Chain_RatesClient(rates))
        try await serve(service, at: arguments[1])
    case ("shop", 3):
        let service = Shop(pricing: Chain_PricingClient(try channel(to: arguments[2])))
        try await serve(service, at: arguments[1])
    case ("quote", 4):
        let shop = Chain_ShopClient(try channel(to: arguments[3]))
        let request = Chain_QuoteRequest.with {
            $0.item = arguments[1]
            $0.currency = arguments[2]
        }
        print(
            try await shop.quote(request, timeout: .seconds(1), metadata: ["x-tenant": "demo"])
                .textFormatString())
    default:
        ProcessExit.end(
            "usage: chain rates ADDRESS | pricing ADDRESS NEXT | shop ADDRESS NEXT | quote …",
            status: 64)
    }
} catch {
    ProcessExit.end("chain: \(error)", status: 1)
}
