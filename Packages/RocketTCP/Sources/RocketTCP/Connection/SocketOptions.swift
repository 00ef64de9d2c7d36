import RocketSystem

extension TCPConnectionConfiguration {
    /// Sets what the configuration asks of the kernel. On a listener it holds for all that it
    /// accepts, so that an accepted connection costs none of these.
    func apply(to descriptor: borrowing FileDescriptor, _ address: NetAddress)
        throws(SystemError)
    {
        try descriptor.setKernelBuffers(
            send: kernelSendBufferBytes, receive: kernelReceiveBufferBytes)
        if address.isUnix { return }
        if noDelay { try descriptor.setNoDelay(true) }
        if let userTimeout { try descriptor.setUserTimeout(userTimeout) }
        if let keepalive {
            try descriptor.setKeepalive(
                idle: keepalive.idle, interval: keepalive.interval, probes: keepalive.probes)
        }
    }
}
