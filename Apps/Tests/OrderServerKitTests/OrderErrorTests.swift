import OrderStoring
import RocketBase
import RocketRPC
import Testing

@testable import OrderServerKit

struct OrderErrorTests {
    /// What order.proto promises: after RESOURCE_EXHAUSTED and UNAVAILABLE nothing was stored.
    @Test(
        "A failure of the store has the code that the protocol promises, and its text",
        arguments: [
            (OrderStoreError.tooManyWaiting(3), RPCErrorCode.resourceExhausted),
            (.memoryFull, .resourceExhausted), (.diskFull, .resourceExhausted),
            (.closed, .unavailable), (.filesLost("orders.sqlite was deleted"), .unavailable),
            (.cancelled, .cancelled), (.outcomeUnknown(reason: "disk I/O error"), .internal),
            (.failed(reason: "locked"), .internal), (.readFailed(reason: "malformed"), .internal),
        ])
    func code(failure: OrderStoreError, code: RPCErrorCode) {
        let error = RPCError(failure)
        #expect(error.code == code)
        #expect(error.message == failure.description)
    }
}
