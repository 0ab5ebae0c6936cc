/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The errnos that are made up. Left out everywhere: EFAULT of a bad pointer and EBADF of a
 * descriptor that is not open, which only a program that is wrong can get; V4L2's EFAULT is another
 * (memory that the device cannot reach). A list has what the manual page or the kernel's source
 * says, less what cannot happen for the arguments that our libraries give.
 */
#include "errnos.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <drm.h>
#include <drm_mode.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/sync_file.h>
#include <linux/videodev2.h>
#include <sys/ioctl.h>

namespace heapflow::torture
{

namespace
{

using enum Meaning;

/* open(2); EINTR: "interrupted by a signal handler" while a device is opened. ENODEV and ENXIO of a
 * node without a driver, EPERM of the device filter of a cgroup. */
constexpr PossibleErrno openNode[] = {{EACCES}, {EPERM},  {EMFILE},      {ENFILE},
				      {ENOMEM}, {ENOENT}, {ENODEV},      {ENXIO},
				      {EBUSY},  {EIO},    {EINTR, Retry}};
/* A file of sysfs or procfs that is not there is an answer: another kernel. */
constexpr PossibleErrno openFile[] = {{EACCES},         {EMFILE}, {ENFILE},      {ENOMEM},
				      {ENOENT, Answer}, {EIO},    {EINTR, Retry}};
/* close(2): the descriptor is closed all the same, so there is nothing to be done. */
constexpr PossibleErrno closing[] = {{EINTR, Retry}, {EIO, Retry}};
/* mmap(2); EACCES and EPERM: dma_buf_mmap_internal() of memory without a CPU view. */
constexpr PossibleErrno mapping[] = {{ENOMEM}, {EACCES}, {EINVAL}, {EAGAIN}, {ENODEV}, {EPERM}};
constexpr PossibleErrno protecting[] = {{ENOMEM}};
/* poll(2) */
constexpr PossibleErrno polling[] = {{EINTR, Retry}, {ENOMEM}, {EINVAL}};
/* read(2); of a descriptor of DRM also ENOMEM (drm_read()). */
constexpr PossibleErrno reading[] = {{EINTR, Retry}, {EIO}, {ENOMEM}, {EACCES}};
/* read(2) of eventfd, timerfd, inotify in non-blocking mode: EAGAIN is "nothing there". */
constexpr PossibleErrno readingEvent[] = {{EINTR, Retry}, {EAGAIN, Answer}};
constexpr PossibleErrno writing[] = {{EINTR, Retry}, {ENOSPC}, {EIO}};
constexpr PossibleErrno writingEvent[] = {{EINTR, Retry}};
/* eventfd(2), timerfd_create(2), inotify_init(2), memfd_create(2), pipe(2), socket(2) */
constexpr PossibleErrno making[] = {{EMFILE}, {ENFILE}, {ENOMEM}};
constexpr PossibleErrno makingWatch[] = {{EMFILE}, {ENOMEM}};
/* inotify_add_watch(2) */
constexpr PossibleErrno watching[] = {{ENOSPC}, {ENOMEM}, {EACCES}, {ENOENT}};
constexpr PossibleErrno settingTimer[] = {{EINVAL}};
/* dup(2), fcntl(2) F_DUPFD */
constexpr PossibleErrno duplicating[] = {{EMFILE}};
/* stat(2) */
constexpr PossibleErrno statingPath[] = {{EACCES}, {ENOENT, Answer}, {ENOMEM}};
constexpr PossibleErrno statingFile[] = {{ENOMEM}};
/* access(2) */
constexpr PossibleErrno askingAccess[] = {{EACCES, Answer}, {ENOENT, Answer}, {ENOMEM}};
/* opendir(3), readdir(3) */
constexpr PossibleErrno listing[] = {{EACCES}, {EMFILE}, {ENFILE}, {ENOENT, Answer}, {ENOMEM}};
constexpr PossibleErrno readingList[] = {{ENOMEM}, {EIO}, {ENOENT, Answer}};
constexpr PossibleErrno readingLink[] = {{EACCES}, {EINVAL, Answer}, {ENOENT, Answer}, {ENOMEM}};
/* lseek(2) of a dma-buf: ESPIPE before Linux 3.12, EINVAL of another end. */
constexpr PossibleErrno seeking[] = {{EINVAL}, {ESPIPE}};
constexpr PossibleErrno socketOption[] = {{ENOMEM}, {EPERM}, {ENOPROTOOPT}};
constexpr PossibleErrno binding[] = {{EADDRINUSE}, {ENOMEM}, {EACCES}};
constexpr PossibleErrno receiving[] = {{EINTR, Retry}, {EAGAIN, Answer}, {ENOBUFS}, {ENOMEM}};
/* kcmp(2): EPERM of a security module; ENOSYS of a kernel without CONFIG_KCMP. */
constexpr PossibleErrno comparingFiles[] = {{EPERM}, {ENOSYS, Answer}};
/* fwrite(3), fflush(3): those of write(2). Nobody handles a signal without SA_RESTART. */
constexpr PossibleErrno printing[] = {{ENOSPC}, {EIO}, {EPIPE}, {ENOMEM}};
/* fsync(2); EINVAL: a pipe or a device has no disk to wait for. */
constexpr PossibleErrno syncing[] = {{EIO}, {ENOSPC}, {EINVAL, Answer}};
/* rename(2), open(2) of mkstemp(3), fchmod(2), unlink(2) */
constexpr PossibleErrno renaming[] = {{EACCES}, {ENOSPC}, {EROFS}, {EIO}};
constexpr PossibleErrno makingFile[] = {{EACCES}, {EMFILE}, {ENOSPC}, {EROFS}};
constexpr PossibleErrno changingMode[] = {{EPERM}, {EROFS}, {EIO}};
constexpr PossibleErrno removing[] = {{EACCES}, {EROFS}, {ENOENT, Answer}};
/* posix_spawn(3): those of clone(2) and execve(2) */
constexpr PossibleErrno spawning[] = {{EAGAIN}, {ENOMEM}, {ENOENT}, {EACCES}};
constexpr PossibleErrno waitingForChild[] = {{EINTR, Retry}};
/* getxattr(2) */
constexpr PossibleErrno readingAttribute[] = {
	{ENODATA, Answer}, {ENOTSUP, Answer}, {EACCES}, {ENOMEM}};
/* pthread_create(3) */
constexpr PossibleErrno makingThread[] = {{EAGAIN}};

/* drivers/dma-buf/dma-heap.c, heaps/system_heap.c, heaps/cma_heap.c */
constexpr PossibleErrno allocation[] = {{ENOMEM}, {EINVAL}, {EMFILE}, {ENFILE}, {EINTR, Retry}};
/* drivers/dma-buf/dma-buf.c: dma_buf_begin_cpu_access() waits for fences, and may be interrupted;
 * Documentation/driver-api/dma-buf.rst: "restart on EAGAIN and EINTR" */
constexpr PossibleErrno bracket[] = {{EINTR, Retry}, {EAGAIN, Retry}, {EINVAL}, {ENOMEM}, {EIO}};
/* A name is for people: without it all works the same. */
constexpr PossibleErrno naming[] = {{EINVAL}, {ENOMEM}, {ENOTTY, Answer}};
/* dma_buf_export_sync_file() and _import_: ENOTTY of a kernel before 6.0 */
constexpr PossibleErrno fencing[] = {
	{ENOMEM}, {EMFILE}, {EINVAL}, {EINTR, Retry}, {ENOTTY, Answer}};
/* drivers/dma-buf/sync_file.c */
constexpr PossibleErrno merging[] = {{ENOMEM}, {EMFILE}, {ENOENT}, {EINVAL}, {EINTR, Retry}};
constexpr PossibleErrno fenceInfo[] = {{ENOMEM}, {EINVAL}, {EINTR, Retry}};

/* Every ioctl of V4L2: video_ioctl2() takes a mutex that a signal may interrupt; ENODEV: it is
 * unregistered; ENOTTY: the driver does not have it. Userspace API, "Generic Error Codes". */
constexpr PossibleErrno queryingVideo[] = {{ENODEV}, {EINTR, Retry}, {EIO}, {ENOTTY, Answer}};
/* EINVAL is the end of the list, or "has no such control". */
constexpr PossibleErrno enumerating[] = {
	{ENODEV}, {EINTR, Retry}, {EINVAL, Answer}, {ENODATA, Answer}, {ENOTTY, Answer}};
constexpr PossibleErrno controlling[] = {{ENODEV}, {EINTR, Retry},   {EINVAL, Answer},
					 {EBUSY},  {EACCES, Answer}, {ERANGE},
					 {EIO},    {ENOTTY, Answer}};
constexpr PossibleErrno formatting[] = {{ENODEV}, {EINTR, Retry}, {EBUSY}, {EINVAL}, {EIO}};
constexpr PossibleErrno parameters[] = {
	{ENODEV}, {EINTR, Retry}, {EBUSY}, {EINVAL, Answer}, {ENOTTY, Answer}};
/* vidioc-reqbufs, vidioc-prepare-buf, vidioc-qbuf, vidioc-streamon of the Userspace API;
 * vb2_core_reqbufs(). EFAULT: the device cannot reach the memory. */
constexpr PossibleErrno slots[] = {{ENODEV}, {EINTR, Retry}, {EBUSY}, {EINVAL}, {ENOMEM}};
constexpr PossibleErrno importing[] = {{ENODEV}, {EINTR, Retry}, {EBUSY}, {EINVAL},
				       {ENOMEM}, {EFAULT},       {EIO}};
constexpr PossibleErrno queueing[] = {{ENODEV}, {EINTR, Retry}, {EINVAL}, {ENOMEM},
				      {EFAULT}, {EIO},          {EBUSY}};
constexpr PossibleErrno dequeueing[] = {{ENODEV}, {EINTR, Retry}, {EAGAIN, Retry},
					{EINVAL}, {EIO},          {EPIPE}};
constexpr PossibleErrno streaming[] = {{ENODEV}, {EINTR, Retry}, {EINVAL}, {EPIPE}, {ENOLINK},
				       {ENOMEM}, {EIO},          {ENOSPC}, {EBUSY}};
constexpr PossibleErrno stopping[] = {{ENODEV}, {EINTR, Retry}, {EINVAL}, {EIO}};
constexpr PossibleErrno events[] = {{ENODEV}, {EINTR, Retry}, {ENOENT, Answer}, {ENOTTY, Answer}};

/* vfs_ioctl() of what is no terminal, hung_up_tty_ioctl() of one that is gone. */
constexpr PossibleErrno askingTerminal[] = {{ENOTTY, Answer}, {EIO, Answer}};

/* drm_ioctl(): ENODEV when it is unplugged, EACCES and EPERM by the flags of the ioctl, EINTR and
 * EAGAIN of the modeset locks; drmIoctl() of libdrm repeats those two. */
constexpr PossibleErrno asking[] = {{ENODEV}, {EINTR, Retry}, {EAGAIN, Retry}, {ENOMEM}, {EACCES}};
constexpr PossibleErrno askingObject[] = {{ENODEV}, {EINTR, Retry}, {EAGAIN, Retry},
					  {ENOENT}, {ENOMEM},       {EINVAL}};
/* What may have been taken away since it was listed: a connector with all that hangs on it, a blob.
 */
constexpr PossibleErrno askingMovable[] = {{ENODEV},         {EINTR, Retry}, {EAGAIN, Retry},
					   {ENOENT, Answer}, {ENOMEM},       {EINVAL}};
constexpr PossibleErrno capability[] = {
	{ENODEV}, {EINTR, Retry}, {EINVAL, Answer}, {ENOMEM}, {EOPNOTSUPP, Answer}};
constexpr PossibleErrno mastering[] = {{ENODEV}, {EINTR, Retry}, {EACCES}, {EBUSY}, {EINVAL}};
constexpr PossibleErrno handling[] = {{ENODEV}, {EINTR, Retry}, {ENOMEM}, {EINVAL},
				      {EMFILE}, {ENOSYS},       {EIO}};
constexpr PossibleErrno freeing[] = {{ENODEV}, {EINTR, Retry}, {ENOENT}, {EINVAL}};
/* drm_mode_addfb2(), drm_framebuffer_init(), the check of the driver */
constexpr PossibleErrno framebuffers[] = {{ENODEV}, {EINTR, Retry}, {ENOMEM},
					  {EINVAL}, {ENOENT},       {ERANGE}};
/* drm_mode_atomic_ioctl(), drm_atomic_check_only(), drm_atomic_helper_commit(); vkms and drivers */
constexpr PossibleErrno committing[] = {{ENODEV}, {EINTR, Retry}, {EAGAIN, Retry}, {EBUSY},
					{ENOSPC}, {EINVAL},       {ERANGE},        {ENOMEM},
					{EACCES}, {EIO},          {ENOENT}};

constexpr RequestErrnos requests[] = {
	{DMA_HEAP_IOCTL_ALLOC, "DMA_HEAP_IOCTL_ALLOC", allocation},
	{DMA_BUF_IOCTL_SYNC, "DMA_BUF_IOCTL_SYNC", bracket},
	{uint32_t(DMA_BUF_SET_NAME), "DMA_BUF_SET_NAME", naming},
	{DMA_BUF_IOCTL_EXPORT_SYNC_FILE, "DMA_BUF_IOCTL_EXPORT_SYNC_FILE", fencing},
	{DMA_BUF_IOCTL_IMPORT_SYNC_FILE, "DMA_BUF_IOCTL_IMPORT_SYNC_FILE", fencing},
	{SYNC_IOC_MERGE, "SYNC_IOC_MERGE", merging},
	{SYNC_IOC_FILE_INFO, "SYNC_IOC_FILE_INFO", fenceInfo},

	{VIDIOC_QUERYCAP, "VIDIOC_QUERYCAP", queryingVideo},
	{VIDIOC_ENUM_FMT, "VIDIOC_ENUM_FMT", enumerating},
	{VIDIOC_ENUM_FRAMESIZES, "VIDIOC_ENUM_FRAMESIZES", enumerating},
	{VIDIOC_ENUM_FRAMEINTERVALS, "VIDIOC_ENUM_FRAMEINTERVALS", enumerating},
	{VIDIOC_ENUMINPUT, "VIDIOC_ENUMINPUT", enumerating},
	{VIDIOC_G_INPUT, "VIDIOC_G_INPUT", enumerating},
	{VIDIOC_QUERYCTRL, "VIDIOC_QUERYCTRL", enumerating},
	{VIDIOC_QUERY_EXT_CTRL, "VIDIOC_QUERY_EXT_CTRL", enumerating},
	{VIDIOC_QUERYMENU, "VIDIOC_QUERYMENU", enumerating},
	{VIDIOC_QUERY_DV_TIMINGS, "VIDIOC_QUERY_DV_TIMINGS", enumerating},
	{VIDIOC_G_DV_TIMINGS, "VIDIOC_G_DV_TIMINGS", enumerating},
	{VIDIOC_S_DV_TIMINGS, "VIDIOC_S_DV_TIMINGS", enumerating},
	{VIDIOC_G_STD, "VIDIOC_G_STD", enumerating},
	{VIDIOC_G_CTRL, "VIDIOC_G_CTRL", controlling},
	{VIDIOC_S_CTRL, "VIDIOC_S_CTRL", controlling},
	{VIDIOC_G_EXT_CTRLS, "VIDIOC_G_EXT_CTRLS", controlling},
	{VIDIOC_S_EXT_CTRLS, "VIDIOC_S_EXT_CTRLS", controlling},
	{VIDIOC_TRY_EXT_CTRLS, "VIDIOC_TRY_EXT_CTRLS", controlling},
	{VIDIOC_G_FMT, "VIDIOC_G_FMT", formatting},
	{VIDIOC_S_FMT, "VIDIOC_S_FMT", formatting},
	{VIDIOC_TRY_FMT, "VIDIOC_TRY_FMT", formatting},
	{VIDIOC_G_PARM, "VIDIOC_G_PARM", parameters},
	{VIDIOC_S_PARM, "VIDIOC_S_PARM", parameters},
	{VIDIOC_G_SELECTION, "VIDIOC_G_SELECTION", parameters},
	{VIDIOC_S_SELECTION, "VIDIOC_S_SELECTION", parameters},
	{VIDIOC_REQBUFS, "VIDIOC_REQBUFS", slots},
	{VIDIOC_CREATE_BUFS, "VIDIOC_CREATE_BUFS", slots},
	{VIDIOC_PREPARE_BUF, "VIDIOC_PREPARE_BUF", importing},
	{VIDIOC_QBUF, "VIDIOC_QBUF", queueing},
	{VIDIOC_DQBUF, "VIDIOC_DQBUF", dequeueing},
	{VIDIOC_STREAMON, "VIDIOC_STREAMON", streaming},
	{VIDIOC_STREAMOFF, "VIDIOC_STREAMOFF", stopping},
	{VIDIOC_SUBSCRIBE_EVENT, "VIDIOC_SUBSCRIBE_EVENT", parameters},
	{VIDIOC_UNSUBSCRIBE_EVENT, "VIDIOC_UNSUBSCRIBE_EVENT", parameters},
	{VIDIOC_DQEVENT, "VIDIOC_DQEVENT", events},

	{TIOCGWINSZ, "TIOCGWINSZ", askingTerminal},

	{DRM_IOCTL_VERSION, "DRM_IOCTL_VERSION", asking},
	{DRM_IOCTL_GET_CAP, "DRM_IOCTL_GET_CAP", capability},
	{DRM_IOCTL_SET_CLIENT_CAP, "DRM_IOCTL_SET_CLIENT_CAP", capability},
	{DRM_IOCTL_AUTH_MAGIC, "DRM_IOCTL_AUTH_MAGIC", mastering},
	{DRM_IOCTL_SET_MASTER, "DRM_IOCTL_SET_MASTER", mastering},
	{DRM_IOCTL_DROP_MASTER, "DRM_IOCTL_DROP_MASTER", mastering},
	{DRM_IOCTL_PRIME_FD_TO_HANDLE, "DRM_IOCTL_PRIME_FD_TO_HANDLE", handling},
	{DRM_IOCTL_PRIME_HANDLE_TO_FD, "DRM_IOCTL_PRIME_HANDLE_TO_FD", handling},
	{DRM_IOCTL_GEM_CLOSE, "DRM_IOCTL_GEM_CLOSE", freeing},
	{DRM_IOCTL_CRTC_GET_SEQUENCE, "DRM_IOCTL_CRTC_GET_SEQUENCE", askingObject},
	{DRM_IOCTL_MODE_GETRESOURCES, "DRM_IOCTL_MODE_GETRESOURCES", asking},
	{DRM_IOCTL_MODE_GETPLANERESOURCES, "DRM_IOCTL_MODE_GETPLANERESOURCES", asking},
	{DRM_IOCTL_MODE_GETCRTC, "DRM_IOCTL_MODE_GETCRTC", askingObject},
	{DRM_IOCTL_MODE_GETCONNECTOR, "DRM_IOCTL_MODE_GETCONNECTOR", askingMovable},
	{DRM_IOCTL_MODE_GETENCODER, "DRM_IOCTL_MODE_GETENCODER", askingMovable},
	{DRM_IOCTL_MODE_GETPLANE, "DRM_IOCTL_MODE_GETPLANE", askingObject},
	{DRM_IOCTL_MODE_GETPROPERTY, "DRM_IOCTL_MODE_GETPROPERTY", askingMovable},
	{DRM_IOCTL_MODE_GETPROPBLOB, "DRM_IOCTL_MODE_GETPROPBLOB", askingMovable},
	{DRM_IOCTL_MODE_OBJ_GETPROPERTIES, "DRM_IOCTL_MODE_OBJ_GETPROPERTIES", askingMovable},
	{DRM_IOCTL_MODE_CREATEPROPBLOB, "DRM_IOCTL_MODE_CREATEPROPBLOB", handling},
	{DRM_IOCTL_MODE_DESTROYPROPBLOB, "DRM_IOCTL_MODE_DESTROYPROPBLOB", freeing},
	{DRM_IOCTL_MODE_CREATE_DUMB, "DRM_IOCTL_MODE_CREATE_DUMB", handling},
	{DRM_IOCTL_MODE_MAP_DUMB, "DRM_IOCTL_MODE_MAP_DUMB", askingObject},
	{DRM_IOCTL_MODE_DESTROY_DUMB, "DRM_IOCTL_MODE_DESTROY_DUMB", freeing},
	{DRM_IOCTL_MODE_ADDFB2, "DRM_IOCTL_MODE_ADDFB2", framebuffers},
	{DRM_IOCTL_MODE_GETFB2, "DRM_IOCTL_MODE_GETFB2", askingObject},
	{DRM_IOCTL_MODE_RMFB, "DRM_IOCTL_MODE_RMFB", freeing},
	{DRM_IOCTL_MODE_ATOMIC, "DRM_IOCTL_MODE_ATOMIC", committing},
};

bool isNode(Subject subject)
{
	return subject == Subject::HeapNode || subject == Subject::VideoNode ||
	       subject == Subject::CardNode || subject == Subject::OtherNode;
}

bool isEvent(Subject subject)
{
	return subject == Subject::Event || subject == Subject::Timer ||
	       subject == Subject::Inotify;
}

} /* namespace */

const RequestErrnos *errnosOfRequest(uint32_t request)
{
	const auto *found = std::ranges::find(requests, request, &RequestErrnos::request);
	return found == std::end(requests) ? nullptr : found;
}

std::span<const PossibleErrno> errnosOf(const CallKind &kind)
{
	const auto subject = Subject(kind.detail);
	switch (kind.function) {
	case Function::Ioctl: {
		const RequestErrnos *known = errnosOfRequest(kind.detail);
		return known ? known->errnos : std::span<const PossibleErrno>();
	}
	case Function::Open:
		return isNode(subject) ? std::span<const PossibleErrno>(openNode) : openFile;
	case Function::Close:
		return closing;
	case Function::Mmap:
		return mapping;
	case Function::Mprotect:
		return protecting;
	case Function::Poll:
		return polling;
	case Function::Read:
		return isEvent(subject) ? std::span<const PossibleErrno>(readingEvent) : reading;
	case Function::Write:
		return isEvent(subject) ? std::span<const PossibleErrno>(writingEvent) : writing;
	case Function::Eventfd:
	case Function::TimerfdCreate:
	case Function::Socket:
	case Function::MemfdCreate:
	case Function::Pipe:
		return making;
	case Function::InotifyInit:
		return makingWatch;
	case Function::InotifyAddWatch:
		return watching;
	case Function::TimerfdSettime:
		return settingTimer;
	case Function::Dup:
		return duplicating;
	case Function::Stat:
		return subject == Subject::Dmabuf || isEvent(subject)
			       ? std::span<const PossibleErrno>(statingFile)
			       : statingPath;
	case Function::Access:
		return askingAccess;
	case Function::Opendir:
		return listing;
	case Function::Readdir:
		return readingList;
	case Function::Readlink:
		return readingLink;
	case Function::Seek:
		return seeking;
	case Function::SetSockopt:
	case Function::GetSockopt:
		return socketOption;
	case Function::Bind:
		return binding;
	case Function::Receive:
		return receiving;
	case Function::ThreadCreate:
		return makingThread;
	case Function::Kcmp:
		return comparingFiles;
	case Function::Print:
		return printing;
	case Function::Fsync:
		return syncing;
	case Function::Rename:
		return renaming;
	case Function::Mkstemp:
		return makingFile;
	case Function::Fchmod:
		return changingMode;
	case Function::Unlink:
		return removing;
	case Function::Signalfd:
		return making;
	case Function::Spawn:
		return spawning;
	case Function::Waitpid:
		return waitingForChild;
	case Function::Getxattr:
		return readingAttribute;
	case Function::Count:
		break;
	}
	return {};
}

} /* namespace heapflow::torture */
