public import CRocketSystem
import Glibc

/// One joinable thread of the system. Whoever starts it joins or detaches it.
public struct SystemThread: Sendable {
    private let id: UInt64

    /// Starts `body` on a new thread.
    ///
    /// - Parameters:
    ///   - name: shown by ps and gdb; the kernel keeps its first 15 bytes.
    ///   - cpu: the processor to stay on, 0 or more; nil leaves that to the scheduler.
    /// - Throws: `SystemError` (EAGAIN: no more threads; EINVAL: no such processor).
    public init(
        name: String, cpu: Int? = nil, _ body: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        // SAFETY: the box is retained for the thread, which takes it over, or released below.
        let context = unsafe Unmanaged.passRetained(Body(body))
        var thread: UInt64 = 0
        let cpu = cpu.map { Int32(clamping: $0 < 0 ? .max : $0) } ?? -1
        let run: @convention(c) (UnsafeMutableRawPointer?) -> Void = { pointer in
            guard let pointer = unsafe pointer else { return }
            unsafe Unmanaged<Body>.fromOpaque(pointer).takeRetainedValue().run()
        }
        let error = unsafe rocket_thread_start(&thread, name, cpu, run, context.toOpaque())
        if error != 0 {
            unsafe context.release()
            throw SystemError("pthread_create \(name)", Errno(rawValue: error))
        }
        id = thread
    }

    /// Waits until the thread has ended; once, and not from itself.
    public func join() {
        let error = rocket_thread_join(id)
        precondition(error == 0, "a thread is joined once, and not by itself")
    }

    /// Lets it end by itself; it can't be joined then.
    public func detach() { _ = rocket_thread_detach(id) }

    /// The calling thread's name.
    public static var currentName: String {
        var name = [CChar](repeating: 0, count: 17)
        // SAFETY: the kernel writes at most 16 bytes, NUL included.
        unsafe rocket_thread_name(&name)
        return String(
            decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The first processor that the calling thread may run on.
    public static var firstUsableCPU: Int? {
        let cpu = rocket_thread_first_cpu()
        return cpu < 0 ? nil : Int(cpu)
    }

    /// A number that no other living thread has, never 0; one instruction.
    @inlinable
    public static var currentToken: UInt { UInt(rocket_thread_token()) }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
