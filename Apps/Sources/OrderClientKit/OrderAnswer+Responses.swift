import OrderProtos

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

    /// Checks one page of a list. One whose next page is itself would make the list endless.
    static func check(
        _ response: listOrdersResponse, to request: listOrdersRequest
    ) throws(Failure) {
        try check(response.retCode, response.resInfo)
        guard response.nextPageToken.isEmpty || response.nextPageToken != request.pageToken else {
            throw .invalid("the next page is the same page")
        }
    }

    private static func check(_ code: Int32, _ info: String) throws(Failure) {
        if code != 0 { throw .refused(code: code, info: info) }
    }
}
