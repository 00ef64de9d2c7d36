import RocketBaseTestKit
import RocketRPC
import SwiftProtobuf

/// Its handlers advance the clock by the microseconds in their requests.
struct SleepingService: RPCService {
    static let serviceName = "test.v1.Sleeper"
    static let sleep = RPCMethod<Number, Number>(service: serviceName, name: "sleep")
    static let nap = RPCMethod<Number, Number>(service: serviceName, name: "nap")
    let clock = ManualTimeSource()

    func register(in registry: inout RPCServiceRegistry) throws {
        try registry.add(Self.sleep) { request, _ in
            clock.advance(by: .microseconds(request.value))
            return request
        }
        try registry.add(
            Self.nap,
            synchronous: { request, _ in
                clock.advance(by: .microseconds(request.value))
                return request
            })
    }
}
