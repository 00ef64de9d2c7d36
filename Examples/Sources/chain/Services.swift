import RocketBase
import RocketCodec
import RocketRPC
import SwiftProtobuf

// docs: shop
/// The first service. It has what its callers have: the deadline, the id and the trace of the call
/// go on to the next service by themselves, and so does its cancellation.
struct Shop: Chain_ShopService {
    let pricing: Chain_PricingClient

    func quote(
        _ request: Chain_QuoteRequest, _ call: RPCController
    ) async throws -> Chain_QuoteResponse {
        guard request.currency.utf8.count == 3 else {
            throw RPCError(.invalidArgument, "a currency has three letters")
        }
        var response = try await pricing.price(request, metadata: forwarded(call))
        response.hops.append(hop(call))
        return response
    }
}
// docs: end

// docs: pricing
/// The second service. Without a rate in time it answers with yesterday's.
struct Pricing: Chain_PricingService {
    let rates: Chain_RatesClient
    let euroCents = ["tea": Int64(450), "milk": 120]
    let oldRates = ["CHF": Int64(95), "USD": 108]

    func price(
        _ request: Chain_QuoteRequest, _ call: RPCController
    ) async throws -> Chain_QuoteResponse {
        guard let cents = euroCents[request.item] else {
            throw RPCError(.notFound, "no price of '\(request.item)'")
        }
        var response = Chain_QuoteResponse()
        do throws(RPCError) {
            // At most 200 ms, and never longer than the caller waits.
            let rate = try await rates.rate(
                .with { $0.currency = request.currency }, timeout: .milliseconds(200),
                metadata: forwarded(call))
            response.cents = cents * rate.hundredths / 100
            response.hops.append(rate.hop)
        } catch {
            // If the caller has gone, nobody needs an answer.
            guard !call.isCancelled, let rate = oldRates[request.currency] else { throw error }
            response.cents = cents * rate / 100
            response.isEstimate = true
        }
        response.hops.append(hop(call))
        return response
    }
}
// docs: end

/// The third service.
struct Rates: Chain_RatesService {
    /// Finds a rate, in hundredths; the handler is cancelled if its caller gives up.
    let find: @Sendable (_ currency: String, _ call: RPCController) async throws -> Int64

    func rate(
        _ request: Chain_RateRequest, _ call: RPCController
    ) async throws -> Chain_RateResponse {
        let rate = try await find(request.currency, call)
        return .with {
            $0.hundredths = rate
            $0.hop = hop(call)
        }
    }
}

// docs: metadata
/// The metadata that a handler passes on to the next service. Deadline, id and trace context need no
/// line of code; all other keys are the program's own.
func forwarded(_ call: RPCController) -> RPCMetadata {
    var metadata = RPCMetadata()
    metadata["x-tenant"] = call.requestMetadata["x-tenant"]
    return metadata
}
// docs: end

/// What a service knows of a call.
func hop(_ call: RPCController) -> Chain_Hop {
    .with {
        $0.method = call.method
        $0.messageID = call.messageID
        $0.tenant = call.requestMetadata["x-tenant"] ?? ""
        $0.traceparent = call.requestMetadata["traceparent"] ?? ""
    }
}
