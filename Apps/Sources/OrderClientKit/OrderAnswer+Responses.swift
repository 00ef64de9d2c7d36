import OrderProtos
import RocketProgram

extension OrderAnswer {
    /// Why a response contains no answer.
    enum Failure: Error, Hashable, CustomStringConvertible {
        /// The server has refused the request.
        case refused(code: Int32, info: String)
        /// The response breaks the rules of order.proto.
        case invalid(String)

        var description: String {
            switch self {
            case .refused(let code, let info):
                "refused: \(info.isEmpty ? "without a reason" : info) (ret_code \(code))"
            case .invalid(let reason): "invalid reply: \(reason)"
            }
        }

        /// The status of a program that ends because of this.
        var exitStatus: ExitStatus {
            switch self {
            case .refused: .failure
            case .invalid: .protocolError
            }
        }
    }

    init(_ response: makeOrderResponse, to request: makeOrderRequest) throws(Failure) {
        try Self.check(response.retCode, response.resInfo)
        guard !response.orderID.isEmpty else { throw .invalid("it has no order id") }
        self = .made(id: response.orderID, request: request)
    }

    init(_ response: queryOrderResponse) throws(Failure) {
        try Self.check(response.retCode, response.resInfo)
        guard response.hasOrder else { throw .invalid("it has no order") }
        self = .found(response.order)
    }

    /// Checks one page of a list. A next page that was listed before, or empty pages, would make the
    /// list endless.
    ///
    /// - Parameter seen: the tokens of this page and those before; the next one is added.
    static func check(_ response: listOrdersResponse, seen: inout Set<String>) throws(Failure) {
        try check(response.retCode, response.resInfo)
        let next = response.nextPageToken
        if next.isEmpty { return }
        guard !response.orders.isEmpty else { throw .invalid("an empty page has a next page") }
        guard seen.insert(next).inserted else {
            throw .invalid("the next page was listed before")
        }
    }

    private static func check(_ code: Int32, _ info: String) throws(Failure) {
        if code != 0 { throw .refused(code: code, info: info) }
    }
}
