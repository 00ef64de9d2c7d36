import RocketBase
import RocketCodec

/// What the calls of one batch are served with: looked up once, and handed on as a parameter, so
/// that no reference is counted for a call.
///
/// A batch: calls of one connection, one after another, that share a controller and a binding of
/// it. Bound to the connection's loop.
@usableFromInline
struct ServingContext {
    let connection: ServerConnection
    let link: ByteLink
    /// What handlers see, and what `RPCController.current` is bound to.
    @usableFromInline let controller: RPCController
    let table: MethodTable
    let limits: ConcurrencyLimiter
    private let call: CallResponder

    /// Within a binding of the call's context: one for each and each connection.
    init(_ connection: ServerConnection, _ link: ByteLink, _ call: CallResponder) {
        self.connection = connection
        self.link = link
        self.call = call
        controller = call.controller
        table = connection.dispatcher.table
        limits = connection.dispatcher.limits
    }

    // References are counted where this value is a parameter, and so whatever its maker holds for
    // a while is held all the time: first `begins`, then, in the same function, the calls.

    /// Before the first call: nobody else has the controller.
    @inline(never)
    func begins() { call.ownReferences = _getRetainCount(controller) }

    /// Between calls: whether somebody out there holds on to the controller.
    @inline(never)
    var isKept: Bool { _getRetainCount(controller) > call.ownReferences }

    /// The controller becomes that of the next call.
    @inline(__always)
    func begin(
        _ frame: TinyPBFrame, _ bytes: RawSpan, _ method: MethodEntry, _ deadline: CallDeadline
    ) {
        controller.begin(frame, bytes, method, of: connection, deadline: deadline.time)
    }

    /// Answers with a response.
    @inlinable
    func succeed<Response>(
        _ method: MethodEntry, with response: Response, _ coding: _RPCMessageCoding<Response>
    ) {
        respond(method) { output throws in try coding.append(response, to: &output) }
    }

    @usableFromInline
    func respond(_ method: MethodEntry, _ payload: (inout ByteBuffer) throws -> Void) {
        // The handler has returned: whoever else may look has a reference of his own.
        connection.respond(on: link, controller, isShared: isKept, method, payload)
    }

    /// Answers with what a handler threw.
    @usableFromInline
    func fail<Response>(
        _ method: MethodEntry, _ error: any Error, in coding: _RPCMessageCoding<Response>
    ) {
        if let error = error as? BusinessError, let response = coding.message(for: error) {
            return succeed(method, with: response, coding)
        }
        connection.fail(controller, method, connection.failure(for: error, of: controller))
    }

    @usableFromInline
    func failWithoutRequest(_ method: MethodEntry) {
        connection.fail(controller, method, method.noRequest)
    }
}
