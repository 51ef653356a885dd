# TensorFlow Lite Micro with the libraries that its makefile downloads, CMSIS-NN among them.
# Writes the folder's path into checkout.txt of the build folder.
cmake_minimum_required(VERSION 3.16)
project(fetch_tflm NONE)

include(FetchContent)
FetchContent_Declare(tflite_micro
  GIT_REPOSITORY https://github.com/tensorflow/tflite-micro.git
  GIT_TAG ${TFLM_COMMIT})
FetchContent_MakeAvailable(tflite_micro)

if(NOT IS_DIRECTORY ${tflite_micro_SOURCE_DIR}/tensorflow/lite/micro/tools/make/downloads/cmsis_nn)
  execute_process(
    COMMAND make -f tensorflow/lite/micro/tools/make/Makefile TARGET=cortex_m_generic
      TARGET_ARCH=cortex-m4 OPTIMIZED_KERNEL_DIR=cmsis_nn third_party_downloads
    WORKING_DIRECTORY ${tflite_micro_SOURCE_DIR} RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "tflite-micro's makefile could not download what it needs")
  endif()
endif()
file(WRITE ${CMAKE_BINARY_DIR}/checkout.txt ${tflite_micro_SOURCE_DIR})
