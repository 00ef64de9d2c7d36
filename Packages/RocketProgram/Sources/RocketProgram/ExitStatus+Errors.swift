import RocketAdmin
public import RocketBase
import RocketRPC
public import RocketSystem
import RocketTCP

extension ExitStatus {
    /// The status of a program that ends with `error`: that of a `ProgramFailure`, and of errors of
    /// calls, system calls and listeners by the tables below; 1 for other errors.
    public init(of error: any Error) {
        self =
            switch error {
            case let error as ProgramFailure: error.status
            case let error as RPCError:
                // RocketTCP's `ConnectError.Kind`, such as a Unix socket of another user.
                error.context("connect") == "not permitted"
                    ? .notPermitted : ExitStatus(of: error.code)
            case let error as AdminError: error.errno.map { ExitStatus(of: $0) } ?? .configuration
            case let error as TCPListenError: ExitStatus(of: error.cause.errno)
            case let error as ListenAddressError:
                error.isPermanent ? .configuration : .unavailable
            case let error as SystemError: ExitStatus(of: error.errno)
            case is RPCRegistrationError, is NetAddressError, is ConfigError,
                is TransportSecurityError:
                .configuration
            default: .failure
            }
    }

    /// The status of a program whose call failed with `code`; 1 for the codes of applications, and
    /// for refusals such as `alreadyExists` and `failedPrecondition`.
    public init(of code: RPCErrorCode) {
        self =
            switch code {
            case .peerClosed, .failedConnect, .failedGetReply, .callTimeout, .unavailable:
                .unavailable
            case .resourceExhausted, .aborted: .temporaryFailure
            case .unauthenticated, .permissionDenied: .notPermitted
            case .serviceNotFound, .methodNotFound, .parseServiceName, .unimplemented,
                .failedDecode, .failedDeserialize:
                .protocolError
            case .failedSerialize, .failedEncode, .invalidArgument, .outOfRange, .dataLoss:
                .dataError
            case .notFound: .noInput
            case .internal: .internalError
            case .peerAddress: .configuration
            default: .failure
            }
    }

    /// The status of a program that can't open, create, bind, read or write something.
    public init(of errno: Errno) {
        self =
            if errno.isNotPermitted {
                .notPermitted
            } else if errno.isDiskFull || errno.isFailedTransfer {
                .ioError
            } else if errno.isWouldBlock || errno.isOutOfMemory || errno.isOutOfDescriptors
                || errno.isUnreachable || errno.isTimedOut || errno.isInterrupted
            {
                // Also an address that this machine does not have yet (EADDRNOTAVAIL).
                .temporaryFailure
            } else {
                .cannotCreate
            }
    }
}

extension ProgramFailure {
    /// A failure with the text of another error, and the status that `ExitStatus(of:)` has for it.
    public init(_ error: any Error) {
        self.init("\(error)", status: ExitStatus(of: error))
    }
}
