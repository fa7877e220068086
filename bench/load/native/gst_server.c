/*
 * gst-rtsp-server as its examples use it: plays one Matroska file of Motion-JPEG at rtsp://127.0.0.1:PORT/film.
 *
 *   gst_server FILE own|shared
 *
 * "own" gives each reader a pipeline of its own, "shared" one pipeline to all. Writes "PORT <number>" when it listens.
 */
#include <gst/gst.h>
#include <gst/rtsp-server/rtsp-server.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  setrlimit(RLIMIT_NOFILE, &(struct rlimit){16384, 16384});
  gst_init(NULL, NULL);
  GMainLoop *loop = g_main_loop_new(NULL, FALSE);
  GstRTSPServer *server = gst_rtsp_server_new();
  gst_rtsp_server_set_address(server, "127.0.0.1");
  gst_rtsp_server_set_service(server, "0");
  gst_rtsp_server_set_backlog(server, 1024);
  GstRTSPMediaFactory *factory = gst_rtsp_media_factory_new();
  gchar *launch = g_strdup_printf(
      "( filesrc location=\"%s\" ! matroskademux ! jpegparse ! rtpjpegpay name=pay0 pt=26 mtu=1400 )", argv[1]);
  gst_rtsp_media_factory_set_launch(factory, launch);
  gst_rtsp_media_factory_set_shared(factory, strcmp(argv[2], "shared") == 0);
  GstRTSPMountPoints *mounts = gst_rtsp_server_get_mount_points(server);
  gst_rtsp_mount_points_add_factory(mounts, "/film", factory);
  g_object_unref(mounts);
  if (gst_rtsp_server_attach(server, NULL) == 0) return 1;
  printf("PORT %d\n", gst_rtsp_server_get_bound_port(server));
  fflush(stdout);
  g_main_loop_run(loop);
  return 0;
}
