import RocketCodec
import RocketBase
import SwiftProtobuf

/// A registered method with its types erased: what the frozen table holds.
protocol MethodHandler: AnyObject, Sendable {
    var fullName: String { get }
    var fullNameBytes: [UInt8] { get }
    /// The full name of the request's message.
    var requestName: String { get }
    var responseName: String { get }

    /// Serves one request whose frame is the next in the connection's input: takes it out,
    /// runs the handler, and answers.
    func serve(_ frame: TinyPBFrame, byteCount: Int, of call: ServerCall) async

    /// Serves one request at once: for methods that are marked so.
    func serveSynchronously(_ payload: RawSpan, of call: ServerCall)
}

/// A handler that returns without ever waiting.
typealias SynchronousHandler<Request, Response> =
    @Sendable (Request, RPCController) throws -> Response

/// The one place where a request's bytes become a message and a response becomes bytes.
final class TypedMethodHandler<Request: Message & Sendable, Response: Message & Sendable>:
    MethodHandler
{
    private let method: RPCMethod<Request, Response>
    private let handler: RPCHandler<Request, Response>
    private let synchronous: SynchronousHandler<Request, Response>?

    var fullName: String { method.fullName }
    var fullNameBytes: [UInt8] { method.fullNameBytes }
    var requestName: String { Request.protoMessageName }
    var responseName: String { Response.protoMessageName }

    init(
        _ method: RPCMethod<Request, Response>, _ handler: @escaping RPCHandler<Request, Response>,
        synchronous: SynchronousHandler<Request, Response>? = nil
    ) {
        self.method = method
        self.handler = handler
        self.synchronous = synchronous
    }

    func serve(_ frame: TinyPBFrame, byteCount: Int, of call: ServerCall) async {
        let request: Request
        do {
            request = try call.connection.takeFrame(byteCount) { bytes in
                try method.request.message(from: bytes.extracting(frame.payload))
            }
        } catch {
            call.fail(Self.noRequest)
            return
        }
        do {
            let response = try await handler(request, call.controller)
            call.succeed(with: response, method.response)
        } catch {
            answer(error, of: call)
        }
    }

    func serveSynchronously(_ payload: RawSpan, of call: ServerCall) {
        guard let synchronous else {
            preconditionFailure("'\(fullName)' is served at once, but not marked so")
        }
        let request: Request
        do {
            request = try method.request.message(from: payload)
        } catch {
            call.fail(Self.noRequest)
            return
        }
        do {
            let response = try synchronous(request, call.controller)
            call.succeed(with: response, method.response)
        } catch {
            answer(error, of: call)
        }
    }

    private static var noRequest: RPCError {
        RPCError(.failedDeserialize, "the request is no \(Request.protoMessageName)")
    }

    private func answer(_ error: any Error, of call: ServerCall) {
        if let refusal = error as? BusinessError { return answer(refusal, of: call) }
        call.fail(with: error)
    }

    /// By the frameworks' convention: `int32 ret_code = 1; string res_info = 2`.
    private func answer(_ error: BusinessError, of call: ServerCall) {
        if let response: Response = BusinessFields.fill(error) {
            call.succeed(with: response, method.response)
        } else {
            call.fail(with: RPCError(RPCErrorCode(rawValue: error.code), error.info))
        }
    }
}
