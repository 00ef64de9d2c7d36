import OrderProtos

/// What a call brought, ready to be shown.
enum OrderAnswer {
    case made(id: String, request: makeOrderRequest)
    case found(OrderRecord)
    case listed([OrderRecord], nextPageToken: String)
}
