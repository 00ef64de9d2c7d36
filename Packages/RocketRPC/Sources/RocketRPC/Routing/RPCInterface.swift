/// One call as an object of its own: made when its request is there, gone when it is answered.
/// Services that `rocket_generator` wrote have one type a method; `run()` holds the logic.
///
/// Belongs to the handler that made it, so it need not be Sendable; runs where that runs: on the
/// connection's loop until it suspends for the first time.
public protocol RPCInterface<Request, Response> {
    /// What comes in.
    associatedtype Request
    /// What goes out.
    associatedtype Response

    /// What is asked for.
    var request: Request { get }
    /// What is answered once `run()` has returned.
    var response: Response { get }
    /// Who asks, until when, and whether anybody still waits.
    var call: RPCController { get }

    /// Does the work and fills `response`.
    ///
    /// - Throws: `BusinessError` to refuse by the rules of the service; anything else fails the
    ///   call.
    nonisolated(nonsending) mutating func run() async throws

    /// Stores a refusal in `response`, which keeps what `run()` has set in it.
    ///
    /// - Throws: an error to answer the call with, in place of the response. The default
    ///   implementation throws `error` itself, which the server answers as described at
    ///   `BusinessError`.
    mutating func setError(_ error: BusinessError) throws
}

extension RPCInterface {
    /// Throws `error`, which the server answers.
    public mutating func setError(_ error: BusinessError) throws { throw error }

    /// Runs once, and gives back the response: filled by `run()`, or by `setError` where that
    /// refused.
    ///
    /// - Throws: what either of them throws, a `BusinessError` from `run()` excepted.
    public nonisolated(nonsending) consuming func answer() async throws -> Response {
        do {
            try await run()
        } catch let refusal as BusinessError {
            try setError(refusal)
        }
        return response
    }
}
